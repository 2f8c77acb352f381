/**
 * What a run may leave behind on a machine: namespaces, processes, pins, mounts, links, tables, files. The suite
 * looks before its first step and after its last; what is new is a leftover.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** One sentence fragment for each thing seen, such as "network namespace futago-lab-a". */
export type Inventory = ReadonlySet<string>;

/** The environment variable by which the suite finds its own descendants, whatever their parent is by then. */
export const MARK = "FUTAGO_SUITE";

export interface Places {
  /** The checkout. */
  readonly root: string;
  /** TMPDIR of the steps. */
  readonly temporary: string;
}

export function takeInventory({ root, temporary }: Places): Inventory {
  return new Set([
    ...entries("/run/netns", () => true).map((name) => `network namespace ${name}`),
    ...entries(temporary, () => true).map((name) => `file ${temporary}/${name}`),
    ...entries("/run", (name) => name.startsWith("futago")).map((name) => `file /run/${name}`),
    ...entries("/sys/fs/bpf", () => true).map((name) => `pin /sys/fs/bpf/${name}`),
    ...entries("/sys/class/net", () => true).map((name) => `link ${name}`),
    ...mounts().map((path) => `mount ${path}`),
    ...lines("nft", ["list", "tables"]).map((table) => `nftables ${table}`),
    ...(existsSync(`${root}/.git`) ? lines("git", ["-C", root, "status", "--porcelain"]) : []).map((x) => `git ${x}`),
  ]);
}

/** What `after` holds and `before` did not, sorted. */
export function leftovers(before: Inventory, after: Inventory): readonly string[] {
  return [...after].filter((thing) => !before.has(thing)).toSorted();
}

/** The processes that carry the mark, other than this one: number and command line. */
export function markedProcesses(mark: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of entries("/proc", (entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    if (pid === process.pid) continue;
    const environment = contentOf(`/proc/${pid}/environ`);
    if (!environment?.split("\0").includes(`${MARK}=${mark}`)) continue;
    const command = contentOf(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trim();
    // A process that has ended and waits for its parent has no command line; it is gone in all but name.
    if (command) found.set(pid, command);
  }
  return found;
}

function entries(directory: string, wanted: (name: string) => boolean): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter(wanted) : [];
}

function mounts(): readonly string[] {
  const rows = (contentOf("/proc/self/mountinfo") ?? "").split("\n").map((line) => line.split(" "));
  return rows.flatMap((row) => row[4] ?? []);
}

/** Undefined for a process that ended while we looked, or that belongs to somebody else. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Both cases mean: not one of ours.
    return undefined;
  }
}

function lines(command: string, argv: readonly string[]): readonly string[] {
  const text = execFileSync(command, argv, { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}
