/**
 * Makes what a browser gets: one program, one style sheet, one page, under names that change with their content, each
 * beside its compressed forms, and a list of them for the web process.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const pages = fileURLToPath(new URL("../pages", import.meta.url));
const target = fileURLToPath(new URL("../build", import.meta.url));
const fresh = `${target}.${process.pid}`;

interface Made {
  readonly type: string;
  /** Its name changes with its content. */
  readonly immutable: boolean;
}

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  svg: "image/svg+xml",
};

async function bundle(): Promise<readonly string[]> {
  const result = await build({
    entryPoints: [`${pages}/main.tsx`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    charset: "utf8",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
    outdir: `${fresh}/assets`,
    entryNames: "[name]-[hash]",
    logLevel: "warning",
  });
  return Object.keys(result.metafile.outputs).map((path) => basename(path));
}

function write(path: string, text: string | Buffer): void {
  writeFileSync(`${fresh}/${path}`, text);
  writeFileSync(`${fresh}/${path}.gz`, gzipSync(text, { level: 9 }));
  const parameters = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  writeFileSync(`${fresh}/${path}.br`, brotliCompressSync(text, { params: parameters }));
}

function typeOf(path: string): string {
  const type = types[path.slice(path.lastIndexOf(".") + 1)];
  if (type === undefined) throw new Error(`nobody says what ${path} is`);
  return type;
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(`${fresh}/assets`, { recursive: true });
const assets = await bundle();
for (const asset of assets) write(`assets/${asset}`, readFileSync(`${fresh}/assets/${asset}`));
write("icon.svg", readFileSync(`${pages}/icon.svg`));
const page = readFileSync(`${pages}/index.html`, "utf8").replaceAll(/main\.(js|css)/g, (_, kind: string) => {
  const asset = assets.find((one) => one.endsWith(`.${kind}`));
  if (asset === undefined) throw new Error(`no ${kind} was made`);
  return asset;
});
write("index.html", page);
const paths = ["index.html", "icon.svg", ...assets.map((asset) => `assets/${asset}`)];
const manifest: Record<string, Made> = Object.fromEntries(
  paths.map((path) => [path, { type: typeOf(path), immutable: path.startsWith("assets/") }]),
);
writeFileSync(`${fresh}/manifest.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
const bytes = paths.reduce((sum, path) => sum + gzipSync(readFileSync(`${target}/${path}`), { level: 9 }).length, 0);
process.stderr.write(`${paths.length} files, ${Math.ceil(bytes / 1024)} KiB compressed\n`);
