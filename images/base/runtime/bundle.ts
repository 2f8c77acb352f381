/**
 * Our own programs for the image: every entry point bundled into a .js at the place where its source lies, what several
 * of them share in chunks beside them. `import.meta.url` goes on naming the place of the source, so whatever a source
 * finds relative to itself it finds on a box too.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";

export const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
/** Where our software lies on a box. */
export const HOME = "/usr/lib/futago";

const ROOMS = ["firmware", "webui/api"];
/** Not for a box: it fills a cache that a bundle has no use for. */
const LEFT_OUT = ["firmware/runtime/compile-cache/main.ts"];
/** Holds native code. */
const NATIVE = "better-sqlite3";

/** Programs and workers, as paths from the repository's root. */
export function entryPoints(): readonly string[] {
  const found = ROOMS.flatMap((room) =>
    readdirSync(`${REPOSITORY}${room}`, { recursive: true, encoding: "utf8" }).map((path) => join(room, path)),
  );
  const isEntry = (path: string) => /(^|\/)(main|worker|[\w-]+-worker)\.ts$/.test(path) && !LEFT_OUT.includes(path);
  return found.filter(isEntry).toSorted();
}

/** Files are named .ts in the sources and .js on a box. */
function placed(path: string): string {
  return `file://${HOME}/${relative(REPOSITORY, path).replace(/\.ts$/, ".js")}`;
}

const ownPlace: Plugin = {
  name: "own-place",
  setup(building) {
    building.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (path.includes("/node_modules/") || !text.includes("import.meta.url")) return undefined;
      return { contents: text.replaceAll("import.meta.url", JSON.stringify(placed(path))), loader: "ts" };
    });
  },
};

export interface Bundled {
  /** npm packages of which something is in it. */
  readonly packages: readonly string[];
}

/** Writes into `home`, which becomes HOME. */
export async function bundleRuntime(home: string): Promise<Bundled> {
  const entries = entryPoints();
  checkWorkers(entries);
  const result = await build({
    entryPoints: entries.map((path) => ({ in: `${REPOSITORY}${path}`, out: path.replace(/\.ts$/, "") })),
    absWorkingDir: REPOSITORY,
    outdir: home,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    charset: "utf8",
    legalComments: "none",
    keepNames: false,
    metafile: true,
    chunkNames: "chunks/[name]-[hash]",
    external: [NATIVE],
    // The bundler loses the names of a CommonJS module that is imported by import().
    mainFields: ["module", "main"],
    plugins: [ownPlace],
    // CommonJS packages ask for node's modules by require().
    banner: {
      js: 'import { createRequire as futagoRequire } from "node:module";\nconst require = futagoRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  checkImports(result.metafile);
  const named = Object.keys(result.metafile.inputs).flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return { packages: [...new Set([...named, NATIVE])].toSorted() };
}

/** Imported for what they do to the world, not for their names. */
const NAMELESS = /node_modules\/reflect-metadata\//;

function checkImports({ inputs }: Metafile): void {
  for (const [from, { imports }] of Object.entries(inputs)) {
    for (const { path, kind } of imports) {
      if (kind !== "dynamic-import" || inputs[path]?.format !== "cjs" || NAMELESS.test(path)) continue;
      if (!from.includes("node_modules/")) throw new Error(`${from} would find no names in ${path}, which is CommonJS`);
    }
  }
}

/** A worker that is started by a name is an entry point like any other: one that the bundle lacked would be missed late. */
function checkWorkers(entries: readonly string[]): void {
  for (const room of ROOMS) {
    for (const path of readdirSync(`${REPOSITORY}${room}`, { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts") || /\.(test|suite|test-support)\.ts$/.test(path)) continue;
      const text = readFileSync(join(REPOSITORY, room, path), "utf8");
      for (const [, name = ""] of text.matchAll(/"(\.\.?\/[\w./-]+)\.js"/g)) {
        const wanted = `${join(room, path, "..", name)}.ts`;
        if (!entries.includes(wanted)) throw new Error(`${join(room, path)} starts ${wanted}, which is no entry point`);
      }
    }
  }
}
