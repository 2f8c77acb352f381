/** The text of the house: every file a person wrote, by its path from the root. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** Such as "hal/units/time.ts". */
  readonly path: string;
  readonly text: string;
}

/** What is made by a program, or is somebody else's text word for word. */
const FOREIGN = /(^|\/)(node_modules|build|\.git)$|^package-lock\.json$|(^|\/)LICENSE[^/]*$|\.log$/;
const TEXT = /\.(tsx?|css|html|c|h|sh|md|json|conf|yml|yaml)$|(^|\/)(Makefile|NOTICE|futago|run)$/;

function walk(directory: string): readonly SourceFile[] {
  return readdirSync(`${root}${directory}`, { withFileTypes: true }).flatMap((entry) => {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (FOREIGN.test(path)) return [];
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() && TEXT.test(path) ? [{ path, text: readFileSync(root + path, "utf8") }] : [];
  });
}

export const files: readonly SourceFile[] = walk("");
export const typescript = files.filter(({ path }) => /\.tsx?$/.test(path));
export const markdown = files.filter(({ path }) => path.endsWith(".md"));
export const c = files.filter(({ path }) => /\.[ch]$/.test(path));

/** A test, or what only tests use. */
export function isTest(path: string): boolean {
  return path.startsWith("test/") || /\.(test|suite)\.tsx?$/.test(path);
}

/** The rooms whose decisions are pure functions of state, input and time. */
export const PURE_ROOMS = [
  "access",
  "standby",
  "announce",
  "balancer",
  "replication",
  "health",
  "names",
  "firewall",
  "pair",
  "ports",
  "config",
  "console",
  "update",
  "panel",
].map((room) => `firmware/${room}/`);

/** "path:line: text" for each line of each file that `wrong` says something about. */
export function complaints(
  among: readonly SourceFile[],
  wrong: (line: string, path: string) => string | undefined,
): readonly string[] {
  return among.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, i) => {
      const complaint = wrong(line, path);
      return complaint === undefined ? [] : [`${path}:${i + 1}: ${complaint}`];
    }),
  );
}
