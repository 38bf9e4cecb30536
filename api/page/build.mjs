// Bundles src/ into the folder that is named: one script, one style sheet, an icon, each with a digest of its
// bytes in its name, and the HTML that names them. The same sources and versions make the same bytes.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const out = path.resolve(process.argv[2] ?? "built");
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
process.chdir(here);
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const { outputFiles } = await build({
  entryPoints: { page: "src/main.tsx" },
  bundle: true,
  minify: true,
  charset: "utf8",
  legalComments: "none",
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: out,
  write: false,
  logLevel: "warning",
});

const names = {};
const keep = async (name, bytes) => {
  const { name: stem, ext } = path.parse(name);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  names[name] = `${stem}-${digest}${ext}`;
  await writeFile(path.join(out, names[name]), bytes);
};
for (const file of outputFiles) await keep(path.basename(file.path), file.contents);
await keep("moon.svg", await readFile("src/moon.svg"));

await keep("licence-preact.txt", await readFile("node_modules/preact/LICENSE"));
await keep("licence-noble-hashes.txt", await readFile("node_modules/@noble/hashes/LICENSE"));

let html = await readFile("src/index.html", "utf8");
for (const [name, hashed] of Object.entries(names)) html = html.replaceAll(`{{${name}}}`, `page-files/${hashed}`);
await writeFile(path.join(out, "index.html"), html);
