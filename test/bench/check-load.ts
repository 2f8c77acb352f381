/**
 * The process that the row "checks" measures: core's check runner and nothing else, many backends on loopback.
 *
 *   node check-load.ts tcp|http PORT BACKENDS INTERVAL_MILLIS SECONDS
 *
 * Prints one line: the CPU seconds of the whole process, the seconds it was watched for, the attempts made meanwhile,
 * and how many of the backends were healthy at the end.
 */
import { setTimeout as wait } from "node:timers/promises";
import { CheckRunner } from "@futago/firmware/runtime/core/checks/check-runner.ts";
import type { Probe, Subject } from "@futago/firmware/runtime/core/checks/subjects.ts";
import { openHal } from "@futago/hal/linux.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";

/** A multiple of the interval: the first two attempts of a check keep no regular distance. */
const WARM_UP_INTERVALS = 2.5;
const LOOPBACK = "127.0.0.1" as IpAddress;

const [kind, ...numbers] = process.argv.slice(2);
const [port = 0, backends = 0, intervalMs = 0, watchSeconds = 0] = numbers.map(Number);
const timing = { intervalMs, timeoutMs: intervalMs / 2, rise: 2, fall: 2 };
const expectStatus = [{ from: 200, to: 399 }];
const probe: Probe =
  kind === "http"
    ? { kind, port: undefined, path: "/", host: undefined, expectStatus, expectBody: undefined, ...timing }
    : { kind: "tcp", port: undefined, ...timing };

const hal = openHal();
const runner = new CheckRunner({ machine: hal, onVerdict: () => undefined });
const subjects = Array.from({ length: backends }, (_, i): Subject => {
  const about = { kind: "backend", pool: "web", backend: `s${i}`, at: "" } as const;
  return {
    path: `pools.web.backends.s${i}`,
    about,
    probe,
    address: LOOPBACK,
    port,
    device: undefined,
    source: LOOPBACK,
  };
});
const states = () => subjects.flatMap(({ path }) => runner.stateOf(path) ?? []);
const attempts = () => states().reduce((sum, state) => sum + state.attempt, 0);

await runner.setSubjects(subjects);
await wait(WARM_UP_INTERVALS * intervalMs);
const [cpuBefore, attemptsBefore, since] = [process.cpuUsage(), attempts(), performance.now()];
await wait(watchSeconds * 1_000);
const { user, system } = process.cpuUsage(cpuBefore);
const seconds = (performance.now() - since) / 1_000;
const healthy = states().filter((state) => state.verdict === "healthy").length;
process.stdout.write(`${(user + system) / 1e6} ${seconds} ${attempts() - attemptsBefore} ${healthy}\n`);
runner.close();
hal.close();
