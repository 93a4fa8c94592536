// Builds static/dist from npm packages and our own sources: app.css, app.js, theme.js, icons.svg and the typeface.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { ICONS } from "./icons.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const DIST = join(ROOT, "static", "dist");
const MODULES = join(ROOT, "node_modules");
const watch = process.argv.includes("--watch");

async function buildIcons() {
  const symbols = await Promise.all(
    Object.entries(ICONS).map(async ([name, source]) => {
      const svg = await readFile(join(MODULES, "lucide-static", "icons", `${source}.svg`), "utf8");
      const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).trim();
      return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
    }),
  );
  await writeFile(join(DIST, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

async function copyTypeface() {
  const files = join(MODULES, "@fontsource-variable", "inter", "files");
  await copyFile(join(files, "inter-latin-wght-normal.woff2"), join(DIST, "inter.woff2"));
}

async function buildStyles() {
  const args = ["-i", "static/css/app.css", "-o", "static/dist/app.css", "--minify", ...(watch ? ["--watch"] : [])];
  const script = join(MODULES, "@tailwindcss", "cli", "dist", "index.mjs");
  const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, stdio: "inherit" });
  if (watch) return;
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`tailwindcss ended with ${code}`);
}

async function buildScripts() {
  const options = {
    absWorkingDir: ROOT,
    bundle: true,
    entryPoints: { app: "static/js/app.js", theme: "static/js/theme-boot.js" },
    format: "iife",
    legalComments: "none",
    minify: !watch,
    outdir: DIST,
    sourcemap: watch,
    target: ["es2022"],
  };
  if (watch) return (await esbuild.context(options)).watch();
  return esbuild.build(options);
}

await mkdir(DIST, { recursive: true });
await Promise.all([buildIcons(), copyTypeface(), buildStyles(), buildScripts()]);
