/** What a box is at when its power goes, and what of it must be there afterwards. */
import type { Random } from "../../sim/random.ts";
import { partitionNamed } from "../../../images/base/disk/layout.ts";
import type { BlockServer } from "../appliance/block-server.ts";
import type { Machine } from "../appliance/machine.ts";
import { shell } from "../update/shell.ts";

export type ActName = "boot" | "commit" | "update" | "mark-good" | "factory-reset";

/** What the box said that it keeps, or that it forgot. */
export interface Promised {
  /** How the newest acknowledged revision's id begins; "" before the first. */
  readonly revision: string;
  /** A revision that an acknowledged factory reset must have taken away. */
  readonly forgotten?: string;
  /** A factory reset was ordered and not acknowledged: all is there, or nothing. */
  readonly mayBeForgotten: boolean;
}

interface Act {
  /** Of a hundred cuts. */
  readonly weight: number;
  /** The power goes with this write since the act began, at the latest. */
  readonly writesMax: number;
  /** Which writes count; all of them when left out. */
  readonly counts?: (at: number) => boolean;
  /** Only a machine that does nothing any more is cut by it. */
  readonly limitMillis: number;
  readonly line?: string;
}

const stateStart = partitionNamed("bs0").startBytes;
const stateEnd = partitionNamed("boot-a").startBytes;

/** Each later than the one before: a box takes none that it runs already, and finds some of them good. */
export const VERSIONS = [1, 2, 3, 4, 5, 6] as const;
const MEDIA = "/run/media";

export const ACTS: Readonly<Record<ActName, Act>> = {
  // The loader lowers the tries by the first few.
  boot: { weight: 34, writesMax: 16, limitMillis: 600_000 },
  commit: { weight: 30, writesMax: 120, limitMillis: 240_000, line: commits() },
  update: {
    weight: 12,
    // An installation is some 360 of them.
    writesMax: 350,
    limitMillis: 900_000,
    line: updates(),
  },
  "mark-good": {
    weight: 12,
    writesMax: 3,
    counts: (at) => at >= stateStart && at < stateEnd,
    limitMillis: 900_000,
  },
  "factory-reset": {
    weight: 12,
    writesMax: 60,
    limitMillis: 120_000,
    line: `futago factory-reset --yes --force && echo "forgot""ten"`,
  },
};

/** One after the other, each another document. */
function commits(): string {
  const document = `{"system":{"hostname":"cut-'$n'"},"interfaces":[{"name":"lan","device":"port1","addresses":["10.2.0.2/24"]}]}`;
  return `n=$(date +%s); while :; do n=$((n+1)); echo '${document}' | futago config apply -; done`;
}

/** By the oldest version that the box takes. */
function updates(): string {
  const give = `futago update --no-wait ${MEDIA}/$n.raucb && { given=1; break; }`;
  const all = `for n in ${VERSIONS.join(" ")}; do ${give}; done; [ "$given" ] || echo "none was ta""ken"`;
  return `mkdir -p ${MEDIA}; mount /dev/vdb ${MEDIA}; given=; ${all}`;
}

/** Throws where the words of the serial line tell that there was nothing to install. */
export function checkTaken(words: string): void {
  if (words.includes("none was taken")) throw new Error(`no bundle was taken: ${words}`);
}

export function pickAct(random: Random): ActName {
  let rest = random.between(0, 100);
  for (const name of Object.keys(ACTS) as ActName[]) {
    rest -= ACTS[name].weight;
    if (rest < 0) return name;
  }
  return "boot";
}

/** Starts to count the act's writes; resolves when the disk has stopped with one of them, or after the limit. */
export async function untilCut(name: ActName, server: BlockServer, random: Random): Promise<string> {
  const { writesMax, counts = () => true, limitMillis } = ACTS[name];
  const wanted = random.whole(1, writesMax);
  let seen = 0;
  return await new Promise((resolve) => {
    const limit = setTimeout(() => {
      server.stop();
      resolve(`after ${seen} writes, by the clock`);
    }, limitMillis);
    server.watch = (at) => {
      if (counts(at)) seen += 1;
      if (seen < wanted) return false;
      clearTimeout(limit);
      server.watch = () => false;
      resolve(`with write ${wanted}`);
      return true;
    };
  });
}

/** The revisions that the words of the serial line acknowledge; throws where they refuse one, which none of ours is. */
export function acknowledgedIn(words: string): readonly string[] {
  const refused = /^futago: .*/m.exec(words);
  if (refused !== null) throw new Error(`a commit was refused: ${refused[0]}`);
  return Array.from(words.matchAll(/Revision ([0-9a-f]{16}) is in force/g), ([, id = ""]) => id);
}

/** What the words of the serial line since the act began make of what was promised. */
export function promisedAfter(name: ActName, before: Promised, words: string): Promised {
  if (name === "commit") return { ...before, revision: acknowledgedIn(words).at(-1) ?? before.revision };
  if (name !== "factory-reset") return before;
  return words.includes("forgotten")
    ? { revision: "", forgotten: before.revision, mayBeForgotten: false }
    : { ...before, mayBeForgotten: true };
}

/** Holds the box's history against what was promised; what is there from now on, or what is wrong. */
export async function settle(box: Machine, promised: Promised): Promise<Promised> {
  const { text } = await shell(box, "futago history --json --limit 1000");
  const ids = Array.from(text.matchAll(/"id": *"([0-9a-f]+)"/g), ([, id = ""]) => id);
  const has = (id: string) => id === "" || ids.some((one) => one.startsWith(id));
  if (promised.forgotten !== undefined && promised.forgotten !== "" && has(promised.forgotten))
    throw new Error(`revision ${promised.forgotten} is there after a factory reset that was acknowledged`);
  const isEmptied = promised.mayBeForgotten && ids.length === 0;
  if (!isEmptied && !has(promised.revision))
    throw new Error(`revision ${promised.revision} was acknowledged and is not there; there are ${ids.join(" ")}`);
  return { revision: ids[0]?.slice(0, 16) ?? "", mayBeForgotten: false };
}
