/** Futago in the bench: the lab's whole configuration, started as in the lab. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { BoxStatusFeed } from "../lab/box-status.ts";
import { labDocument, type Profile } from "../lab/document.ts";
import { FUTAGO, type PairFiles, startFutago, writePairFiles } from "../lab/futago-process.ts";
import { BOXES } from "../lab/topology.ts";
import type { Contender } from "./contender.ts";

const SETTLE_MILLIS_MAX = 20_000;
const POLL_MILLIS = 20;
const COMMAND_MILLIS_MAX = 15_000;

export const futagoDefault = futago("Futago default", "default", 75);
export const futagoFast = futago("Futago fast", "fast", 15);

/** Milliseconds from start to ready of every box that was started since the program began. */
export const readyTimes: number[] = [];

function futago(name: string, profile: Profile, deadMillis: number): Contender {
  return {
    name,
    deadMillis,
    start: async (box, namespace, directory) => {
      const state = join(directory, box);
      mkdirSync(state, { recursive: true, mode: 0o700 });
      const started = startFutago(namespace, { box, state, log: `${state}.log`, files: pairFiles(directory, profile) });
      readyTimes.push(await started.ready);
      return started.child;
    },
    settled,
    handOver: async ({ box, directory }) => {
      await promisify(execFile)(FUTAGO, ["switchover", "--state", join(directory, box)], {
        timeout: COMMAND_MILLIS_MAX,
      });
    },
    commit: (directory, round) => commit(profile, directory, round),
    lapses,
  };
}

/** Turns a weight back and forth: a real change, checked, stored on both boxes and applied. */
async function commit(profile: Profile, directory: string, round: number): Promise<void> {
  const file = join(directory, "change.json");
  writeFileSync(file, JSON.stringify(labDocument(profile, 1 + (round % 2))));
  const argv = ["config", "apply", file, "--state", join(directory, "a")];
  await promisify(execFile)(FUTAGO, argv, { timeout: COMMAND_MILLIS_MAX });
}

async function lapses(directory: string): Promise<number> {
  const counts = await Promise.all(
    BOXES.map(async (box) => {
      const { stdout } = await promisify(execFile)(FUTAGO, ["status", "--json", "--state", join(directory, box)]);
      const status = JSON.parse(stdout) as BoxStatus;
      const count = status.heartbeat?.counters["lapses"];
      if (count === undefined) throw new Error("futago status no longer counts lapses");
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The same files for both boxes: the first to start writes them. */
function pairFiles(directory: string, profile: Profile): PairFiles {
  const files = { document: join(directory, "pair.json"), pairKey: join(directory, "pair.key") };
  return existsSync(files.pairKey) ? files : writePairFiles(directory, labDocument(profile));
}

/** One box active, the other standby, and each hears the other. */
async function settled(directory: string): Promise<void> {
  const feeds = BOXES.map((box) => new BoxStatusFeed(join(directory, box, "control.sock")));
  for (const feed of feeds) feed.open();
  try {
    const deadline = Date.now() + SETTLE_MILLIS_MAX;
    for (;;) {
      const statuses = feeds.map((feed) => feed.latest);
      const roles = statuses.map((status) => status?.role ?? "silent").toSorted();
      if (roles.join() === "active,standby" && statuses.every((status) => status?.peer?.alive === true)) return;
      if (Date.now() > deadline) throw new Error(`the pair does not settle: ${roles.join(", ")}`);
      await wait(POLL_MILLIS);
    }
  } finally {
    for (const feed of feeds) feed.close();
  }
}
