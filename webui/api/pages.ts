/**
 * The pages, read into memory before the process gives its rights away: nothing is looked up on the disk later, so that no
 * path that somebody asks for leads anywhere.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

export interface Page {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer | undefined;
  readonly brotli: Buffer | undefined;
  /** Its name has its hash in it: it never changes. */
  readonly immutable: boolean;
}

export interface Pages {
  /** Undefined: they were not built. */
  readonly index: Page | undefined;
  /** By the path of the URL. */
  readonly assets: ReadonlyMap<string, Page>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
};
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export const NO_PAGES = "The pages are not built on this machine: run ./build.sh setup, then start the box again.\n";

/** `directory` may be missing: then there are no pages. */
export function readPages(directory: string): Pages {
  const files = new Map([...readFiles(directory, "/"), ...readFiles(join(directory, "assets"), "/assets/")]);
  const assets = new Map<string, Page>();
  for (const [path, plain] of files) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    assets.set(path, {
      type,
      etag: `"${createHash("sha256").update(plain).digest("hex").slice(0, 32)}"`,
      plain,
      gzip: files.get(`${path}.gz`),
      brotli: files.get(`${path}.br`),
      immutable: path.startsWith("/assets/"),
    });
  }
  const index = assets.get("/index.html");
  assets.delete("/index.html");
  return { index, assets };
}

function readFiles(directory: string, prefix: string): readonly (readonly [path: string, content: Buffer])[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && NAME.test(entry.name))
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names.map((name) => [`${prefix}${name}`, readFileSync(join(directory, name))] as const);
}

/** What a browser takes of a page, as its Accept-Encoding says. */
export function encodingOf(page: Page, accepts: string): { readonly name: string | undefined; readonly body: Buffer } {
  const words = accepts.split(",").map((one) => one.trim().toLowerCase());
  const takes = (name: string) =>
    words.some((one) => one === name || (one.startsWith(`${name};`) && !/;\s*q=0(\.0*)?$/.test(one)));
  if (page.brotli !== undefined && takes("br")) return { name: "br", body: page.brotli };
  if (page.gzip !== undefined && takes("gzip")) return { name: "gzip", body: page.gzip };
  return { name: undefined, body: page.plain };
}
