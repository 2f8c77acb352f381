/**
 * Entry of the updater, root's process for what core may not do: starting programs and writing to the disk's partitions.
 * `serve` answers core on a socket, and `backend` is what RAUC calls for the boot state.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { answerBackend } from "./boot-state-backend.ts";
import { findBootDisk, runningSlot, thisMachine } from "./boot-disk.ts";
import { timeOfBuild } from "../../update/version.ts";
import { openBootState } from "./boot-state-store.ts";
import { parseObject } from "../line-reader.ts";
import { machineHealth } from "./machine-health.ts";
import type { ImageFacts } from "./protocol.ts";
import { inspectBundle, installBundle, RAUC_PLACES, raucConfig, writeRaucConfig } from "./rauc.ts";
import { Updater } from "./updater.ts";
import { UpdaterServer } from "./updater-server.ts";

const IMAGE = "/usr/lib/futago/image.json";
const RECORD = "/data/system/update/slots.json";
/** The first one that systemd hands over. @see sd_listen_fds(3) */
const SYSTEMD_FD = 3;
const IDLE_MILLIS = 60_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { listen: { type: "string" }, image: { type: "string" } },
});
const [mode, ...words] = positionals;
if (mode === "backend") backend(words);
else if (mode === "serve") serve();
else fail("say serve or backend");

function backend(question: readonly string[]): void {
  const disk = findBootDisk(thisMachine);
  if (disk === undefined) return fail("this machine did not boot from a Futago disk");
  const { code, out, said } = answerBackend(question, openBootState(disk), runningSlot(thisMachine));
  process.stdout.write(out);
  process.stderr.write(said);
  process.exitCode = code;
}

function serve(): void {
  const disk = findBootDisk(thisMachine);
  const image = readImage(values.image ?? IMAGE);
  const running = runningSlot(thisMachine);
  if (disk !== undefined && running !== undefined)
    writeRaucConfig(RAUC_PLACES, raucConfig(RAUC_PLACES, image.architecture, disk.partitions), running);
  const updater = new Updater({
    image,
    running,
    store: disk === undefined ? undefined : openBootState(disk),
    record: RECORD,
    inspect: (file) => inspectBundle(RAUC_PLACES, file),
    install: installBundle,
    health: machineHealth,
  });
  const server = new UpdaterServer({
    updater,
    listen: values.listen === undefined ? { fd: SYSTEMD_FD } : { path: values.listen },
    idleMillis: IDLE_MILLIS,
    onIdle: () => server.close(),
    onFault: (method, error) => {
      const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
      const line = { level: 50, time: new Date().toISOString(), process: "updater", method, error: message, stack };
      process.stderr.write(`${JSON.stringify({ ...line, event: "updater-fault" })}\n`);
    },
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => server.close());
}

function readImage(path: string): ImageFacts {
  const { version, architecture, time } = parseObject(readFileSync(path, "utf8")) ?? {};
  if (typeof version === "string" && typeof architecture === "string" && typeof time === "number")
    return { version, architecture, time: timeOfBuild(time) };
  throw new Error(`${path} does not say what runs here`);
}

function fail(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
}
