/** FRR's vrrpd as the other router: zebra and vrrpd in a namespace, every file of theirs in the rig's directory. */
import type { ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "../netns/namespaces.ts";
import { type Rig, until } from "./rig.ts";

const DAEMONS = "/usr/lib/frr";
export const hasFrr = existsSync(`${DAEMONS}/vrrpd`) && existsSync(`${DAEMONS}/zebra`);

export interface FrrRouter {
  readonly family: "ipv4" | "ipv6";
  readonly vrid: number;
  readonly priority: number;
  readonly preempt?: boolean;
  readonly intervalMs?: number;
  /** For IPv6 the link-local one first. */
  readonly addresses: readonly string[];
}

export interface Frr {
  /** "Initialize", "Backup" or "Active" in RFC 9568's words. */
  state(vrid: number): Promise<string>;
  kill(): Promise<void>;
}

/** It holds its virtual addresses on macvlans that must be there before it starts; those of an earlier run are used again. */
export async function startFrr(rig: Rig, space: Namespace, routers: readonly FrrRouter[]): Promise<Frr> {
  const directory = mkdtempSync(join(rig.directory, "frr-"));
  // The daemons leave root behind as soon as they have their capabilities.
  chmodSync(rig.directory, 0o755);
  chmodSync(directory, 0o777);
  for (const router of routers) await addMacvlan(space, router);
  const zebra = await startDaemon(rig, space, directory, "zebra", "");
  const vrrpd = await startDaemon(rig, space, directory, "vrrpd", configuration(routers));
  await until(
    "vrrpd knows its virtual routers",
    async () => (await states(space, directory)).length === routers.length,
  );
  return {
    state: async (vrid) => {
      const found = (await states(space, directory)).find((router) => router.vrid === vrid);
      return found?.status === "Master" ? "Active" : (found?.status ?? "");
    },
    kill: async () => {
      await end(vrrpd);
      await end(zebra);
    },
  };
}

function configuration(routers: readonly FrrRouter[]): string {
  const lines = routers.flatMap(({ family, vrid, priority, preempt = true, intervalMs = 200, addresses }) => [
    `vrrp ${vrid} version 3`,
    `vrrp ${vrid} priority ${priority}`,
    `vrrp ${vrid} advertisement-interval ${intervalMs}`,
    `${preempt ? "" : "no "}vrrp ${vrid} preempt`,
    ...addresses.map((address) => `vrrp ${vrid} ${family === "ipv4" ? "ip" : "ipv6"} ${address}`),
  ]);
  return `interface eth0\n${lines.map((line) => ` ${line}`).join("\n")}\nexit\n`;
}

async function addMacvlan(space: Namespace, router: FrrRouter): Promise<void> {
  const version = router.family === "ipv4" ? 4 : 6;
  const name = `vrrp${version}-${router.vrid}`;
  const vrid = router.vrid.toString(16).padStart(2, "0");
  const block = router.family === "ipv4" ? "01" : "02";
  if ((await space.tryRun(["ip", "link", "show", name])).code === 0) return;
  await space.ip(`link add ${name} link eth0 type macvlan mode bridge`);
  await space.ip(`link set dev ${name} address 00:00:5e:00:${block}:${vrid}`);
  // Mode 3, a random interface identifier: FRR sends from the link-local address of the macvlan.
  await space.sysctl(`net.ipv6.conf.${name}.addr_gen_mode`, 3);
  const prefix = router.family === "ipv4" ? 24 : 64;
  for (const address of router.addresses) await space.ip(`address add ${address}/${prefix} dev ${name} nodad`);
  await space.ip(`link set ${name} up`);
}

async function startDaemon(
  rig: Rig,
  space: Namespace,
  directory: string,
  name: string,
  text: string,
): Promise<ChildProcess> {
  const file = join(directory, `${name}.conf`);
  writeFileSync(file, text);
  const socket = ["-z", join(directory, "zserv.api")];
  const own = ["-i", join(directory, `${name}.pid`), "--vty_socket", directory, "-P", "0"];
  const log = ["--log", `file:${join(directory, `${name}.log`)}`, "--log-level", "debugging"];
  const child = space.spawn([`${DAEMONS}/${name}`, "-f", file, ...socket, ...own, ...log], { stdio: "ignore" });
  rig.cleanup(() => end(child));
  await until(`${name} listens`, () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    return existsSync(join(directory, `${name}.vty`)) && (name !== "zebra" || existsSync(join(directory, "zserv.api")));
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await ended;
}

async function states(space: Namespace, directory: string): Promise<readonly { vrid: number; status: string }[]> {
  const result = await space.tryRun(["vtysh", "--vty_socket", directory, "-d", "vrrpd", "-c", "show vrrp json"]);
  if (result.code !== 0 || !result.stdout.trim().startsWith("[")) return [];
  const all = JSON.parse(result.stdout) as {
    vrid: number;
    v4: { status: string; addresses?: string[] };
    v6: { status: string; addresses?: string[] };
  }[];
  return all.map(({ vrid, v4, v6 }) => ({ vrid, status: v4.addresses?.length ? v4.status : v6.status }));
}
