// Builds static/dist from npm packages and our own sources: app.css, app.js, theme.js, icons.svg and the typeface.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { ICONS } from "./icons.mjs";
import { compileStyles } from "./styles.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const DIST = join(ROOT, "static", "dist");
const MODULES = join(ROOT, "node_modules");
const BROWSERS = ["chrome115", "firefox128", "safari16.4"];

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
  const css = await compileStyles(join(ROOT, "static", "css", "app.css"), [join(ROOT, "templates")]);
  const { code } = await esbuild.transform(css, { loader: "css", minify: true, target: BROWSERS });
  await writeFile(join(DIST, "app.css"), code);
}

function buildScripts() {
  return esbuild.build({
    absWorkingDir: ROOT,
    bundle: true,
    entryPoints: { app: "static/js/app.js", theme: "static/js/theme-boot.js" },
    format: "iife",
    legalComments: "none",
    minify: true,
    outdir: DIST,
    target: BROWSERS,
  });
}

await mkdir(DIST, { recursive: true });
await Promise.all([buildIcons(), copyTypeface(), buildStyles(), buildScripts()]);
