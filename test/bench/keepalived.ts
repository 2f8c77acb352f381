/** keepalived in the place of Futago: the same boxes, ports, addresses and VRIDs. */
import { type ChildProcess } from "node:child_process";
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Namespace } from "../netns/namespaces.ts";
import { type Box, DEVICES, PORTS, type Port } from "../lab/topology.ts";
import type { Contender } from "./contender.ts";

const ADDRESSES: Readonly<Record<Box, Readonly<Record<Port, string>>>> = {
  a: { wan: "10.1.0.2/24", lan: "10.2.0.2/24", sync: "10.3.0.1/30" },
  b: { wan: "10.1.0.3/24", lan: "10.2.0.3/24", sync: "10.3.0.2/30" },
};
const PRIORITIES: Readonly<Record<Box, number>> = { a: 200, b: 190 };
/** Advertisements missed, plus Skew_Time of the box with Priority 190: 3 + (256 − 190) / 256 intervals. */
const ACTIVE_DOWN_INTERVALS = 3 + (256 - PRIORITIES.b) / 256;
/** A standby that heard a few advertisements knows all there is to know. */
const SETTLE_INTERVALS = 5;

export const keepalivedDefault = keepalived("keepalived default", "default.conf", 1_000);
export const keepalivedFast = keepalived("keepalived 10 ms", "fast.conf", 10);

function keepalived(name: string, template: string, intervalMillis: number): Contender {
  return {
    name,
    deadMillis: ACTIVE_DOWN_INTERVALS * intervalMillis,
    start: (box, namespace, directory) => start(template, box, namespace, join(directory, box)),
    settled: async () => {
      await wait(SETTLE_INTERVALS * intervalMillis);
    },
    // On SIGTERM keepalived advertises Priority 0, which is VRRP's planned hand-over.
    handOver: async ({ running }) => {
      const ended = new Promise((resolve) => running.once("close", resolve));
      running.kill("SIGTERM");
      await ended;
    },
  };
}

async function start(template: string, box: Box, namespace: Namespace, directory: string): Promise<ChildProcess> {
  for (const port of PORTS) {
    await namespace.ip(`addr replace ${ADDRESSES[box][port]} dev ${DEVICES[port]}`);
    await namespace.ip(`link set ${DEVICES[port]} up`);
  }
  await namespace.sysctl("net.ipv4.ip_forward", 1);
  // A pid file that an earlier run left behind makes keepalived refuse to start.
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, "keepalived.conf");
  const text = readFileSync(new URL(`keepalived/${template}`, import.meta.url), "utf8");
  writeFileSync(configuration, text.replaceAll("@PRIORITY@", String(PRIORITIES[box])), { mode: 0o600 });
  const log = openSync(`${directory}.log`, "a");
  // Without -G it also writes to syslog, and where nobody runs that, to the console: a serial port, 20 ms of stall.
  const pids = ["--pid", join(directory, "pid"), "--vrrp_pid", join(directory, "vrrp.pid")];
  const checkers = ["--checkers_pid", join(directory, "checkers.pid")];
  const argv = ["keepalived", "-n", "-l", "-G", "-P", "-f", configuration, ...pids, ...checkers];
  return namespace.spawn(argv, { stdio: ["ignore", log, log] });
}
