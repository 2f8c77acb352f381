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
  txt: "text/plain; charset=utf-8",
};

interface Bundle {
  readonly assets: readonly string[];
  /** Of which something is in the program. */
  readonly packages: readonly string[];
}

async function bundle(): Promise<Bundle> {
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
  const inputs = Object.keys(result.metafile.inputs);
  const named = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return {
    assets: Object.keys(result.metafile.outputs).map((path) => basename(path)),
    packages: [...new Set(named)].toSorted(),
  };
}

/** What whoever gets the program must get with it. */
function licences(packages: readonly string[]): string {
  const texts = packages.map((name) => {
    const text = readFileSync(new URL(`../../node_modules/${name}/LICENSE`, import.meta.url), "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  return ["These pages hold parts of:\n", ...texts].join("\n");
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
const { assets, packages } = await bundle();
for (const asset of assets) write(`assets/${asset}`, readFileSync(`${fresh}/assets/${asset}`));
write("licences.txt", licences(packages));
write("icon.svg", readFileSync(`${pages}/icon.svg`));
const page = readFileSync(`${pages}/index.html`, "utf8").replaceAll(/main\.(js|css)/g, (_, kind: string) => {
  const asset = assets.find((one) => one.endsWith(`.${kind}`));
  if (asset === undefined) throw new Error(`no ${kind} was made`);
  return asset;
});
write("index.html", page);
const paths = ["index.html", "icon.svg", "licences.txt", ...assets.map((asset) => `assets/${asset}`)];
const manifest: Record<string, Made> = Object.fromEntries(
  paths.map((path) => [path, { type: typeOf(path), immutable: path.startsWith("assets/") }]),
);
writeFileSync(`${fresh}/manifest.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
const bytes = paths.reduce((sum, path) => sum + gzipSync(readFileSync(`${target}/${path}`), { level: 9 }).length, 0);
process.stderr.write(`${paths.length} files, ${Math.ceil(bytes / 1024)} KiB compressed\n`);
