// Tailwind's compiler, called directly: its own command-line tool needs a native scanner for each platform, and all that
// this does is find the words in our templates that might be utilities.
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compile } from "tailwindcss";

const require = createRequire(import.meta.url);
const WORD = /[^\s"'`<>{}=|]+/g;

// The CSS of `entry` with the utilities that the files under `folders` use. Throws on what it cannot resolve.
export async function compileStyles(entry, folders) {
  const compiler = await compile(await readFile(entry, "utf8"), { base: dirname(entry), loadModule, loadStylesheet });
  return compiler.build(await wordsIn(folders));
}

async function loadStylesheet(id, base) {
  const path = id.startsWith(".") ? join(base, id) : require.resolve(`${id}/index.css`);
  return { path, base: dirname(path), content: await readFile(path, "utf8") };
}

async function loadModule(id, base) {
  return { path: id, base, module: (await import(id)).default };
}

async function wordsIn(folders) {
  const words = new Set();
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath ?? entry.path, entry.name), "utf8");
      for (const [word] of text.matchAll(WORD)) words.add(word);
    }
  }
  return [...words];
}
