/**
 * The sentinel process: decides who is active and nothing else. Started by the supervisor before core; serves
 * `DIR/sentinel.sock`; keeps its last orders when core dies.
 *
 *   sentinel/main.ts --state DIR [--pair-key FILE] [--board auto|FILE]
 */
import { hkdfSync } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chooseBoard } from "@futago/hal/board/describe.ts";
import { openHal } from "@futago/hal/linux.ts";
import { openPulse } from "@futago/hal/pulse/launch.ts";
import { RefusalError } from "../exit-code.ts";
import type { EndingNotice, HowBoxEnds } from "../hardware/end.ts";
import { readPairing } from "../pairing-file.ts";
import { readPairKey } from "../supervisor/pair-key.ts";
import { answerPings } from "../supervisor/ping.ts";
import type { BeatKeys } from "./mode.ts";
import { Sentinel } from "./sentinel.ts";

/** Below pulse, above everything that is not about time. */
const PRIORITY = 50;
const BEAT_KEY_INFO = "futago heartbeat";

let known: BeatKeys | undefined;

/** Asked again when core comes back: the box may have been paired, or changed its keys. Undefined on a box alone. */
function beatKeys(state: string, keyFile: string | undefined): BeatKeys | undefined {
  try {
    if (keyFile !== undefined) return { key: beatKeyOf(readPairKey(keyFile)), other: undefined };
    const pairing = readPairing(state);
    const keyOf = (hex: string | undefined) => (hex === undefined ? undefined : beatKeyOf(Buffer.from(hex, "hex")));
    const key = keyOf(pairing?.pairKey);
    known = key === undefined ? undefined : { key, other: keyOf(pairing?.rotation?.pairKey) };
  } catch (error) {
    // What was whole before: the heartbeats go on with it, and core says what is wrong.
    if (known === undefined || !(error instanceof RefusalError)) throw error;
  }
  return known;
}

function beatKeyOf(pairKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", pairKey, new Uint8Array(0), BEAT_KEY_INFO, 32));
}

const { values } = parseArgs({
  options: { state: { type: "string" }, "pair-key": { type: "string" }, board: { type: "string" } },
});
if (values.state === undefined) {
  process.stderr.write("sentinel: --state is missing; `futago run` starts this process\n");
  process.exit(2);
}

answerPings();
const hal = openHal();
hal.scheduling.dieWithParent("SIGTERM");
try {
  hal.scheduling.setRealTime(PRIORITY);
} catch (error) {
  process.stderr.write(
    `sentinel: no real-time priority, so a busy box may hand over late: ${(error as Error).message}\n`,
  );
}
const { state, "pair-key": keyFile, board } = values;
const sentinel = new Sentinel({
  hal,
  launcher: openPulse(),
  beatKeys: () => beatKeys(state, keyFile),
  stateDirectory: state,
  bpfDirectory: join(state, "bpf"),
  // What is wrong with a person's own description is core's to say.
  board:
    board === undefined ? undefined : chooseBoard(board, join(state, "board.json"), hal.board.identity()).description,
});
await sentinel.start();

/** By the time that a box has handed over, the supervisor's word is read, though a signal may have come before it. */
const WORD_MILLIS = 200;
const told = new Promise<HowBoxEnds>((resolve) => {
  process.on("message", (message) => {
    const { kind, as } = message as EndingNotice;
    if (kind === "ending") resolve(as);
  });
});
const how = () =>
  Promise.race([told, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), WORD_MILLIS))]);

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
  void sentinel.stop(how).then(() => {
    hal.close();
    process.exit(0);
  });
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
// The supervisor holds these open for as long as it lives.
process.on("disconnect", stop);
process.stdin.on("end", stop);
process.stdin.on("error", stop);
process.stdin.resume();
