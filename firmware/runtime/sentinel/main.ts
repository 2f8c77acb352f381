/**
 * The sentinel process: decides who is active and nothing else. Started by the supervisor before core; serves
 * `DIR/sentinel.sock`; keeps its last orders when core dies.
 *
 *   sentinel/main.ts --state DIR [--pair-key FILE]
 */
import { hkdfSync } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openHal } from "@futago/hal/linux.ts";
import { openPulse } from "@futago/hal/pulse/launch.ts";
import { fromHex } from "@futago/hal/units/bytes.ts";
import { RefusalError } from "../exit-code.ts";
import { readPairing } from "../pairing-file.ts";
import { readPairKey } from "../supervisor/pair-key.ts";
import { Sentinel } from "./sentinel.ts";

/** Below pulse, above everything that is not about time. */
const PRIORITY = 50;
const BEAT_KEY_INFO = "futago heartbeat";

let known: Uint8Array | undefined;

/** Asked again when core comes back: the box may have been paired, or paired anew. Undefined on a box alone. */
function beatKey(state: string, keyFile: string | undefined): Uint8Array | undefined {
  try {
    const key = keyFile === undefined ? fromHex(readPairing(state)?.pairKey ?? "none") : readPairKey(keyFile);
    const derive = (from: Uint8Array) => hkdfSync("sha256", from, new Uint8Array(0), BEAT_KEY_INFO, 32);
    known = key === undefined ? undefined : new Uint8Array(derive(key));
  } catch (error) {
    // What was whole before: the heartbeats go on with it, and core says what is wrong.
    if (known === undefined || !(error instanceof RefusalError)) throw error;
  }
  return known;
}

const { values } = parseArgs({ options: { state: { type: "string" }, "pair-key": { type: "string" } } });
if (values.state === undefined) {
  process.stderr.write("sentinel: --state is missing; `futago run` starts this process\n");
  process.exit(2);
}

const hal = openHal();
hal.scheduling.dieWithParent("SIGTERM");
try {
  hal.scheduling.setRealTime(PRIORITY);
} catch (error) {
  process.stderr.write(
    `sentinel: no real-time priority, so a busy box may hand over late: ${(error as Error).message}\n`,
  );
}
const { state, "pair-key": keyFile } = values;
const sentinel = new Sentinel({
  hal,
  launcher: openPulse(),
  beatKey: () => beatKey(state, keyFile),
  stateDirectory: state,
  bpfDirectory: join(state, "bpf"),
});
await sentinel.start();

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
  void sentinel.stop().then(() => {
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
