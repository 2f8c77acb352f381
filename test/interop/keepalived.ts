/** keepalived as the other router: one instance in a namespace, its pid files and configuration in the rig's directory. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "../netns/namespaces.ts";
import type { Rig } from "./rig.ts";

export const hasKeepalived = existsSync("/usr/sbin/keepalived");

export interface KeepalivedInstance {
  readonly vrid?: number;
  readonly priority?: number;
  readonly preempt?: boolean;
  readonly intervalMs?: number;
  readonly addresses?: readonly string[];
  readonly virtualMac?: boolean;
}

export interface Keepalived {
  log(): string;
  /** SIGTERM: it says priority 0 and lets its addresses go. */
  stop(): Promise<void>;
  /** SIGKILL to all of it: power loss. */
  kill(): Promise<void>;
}

export async function startKeepalived(
  rig: Rig,
  space: Namespace,
  instances: readonly KeepalivedInstance[],
): Promise<Keepalived> {
  const directory = mkdtempSync(join(rig.directory, "keepalived-"));
  const names = instances.map((_, i) => `vi_${i}`);
  const group = names.length < 2 ? "" : `vrrp_sync_group all {\n  group { ${names.join(" ")} }\n}\n`;
  const configuration = `global_defs {\n  vrrp_version 3\n  script_user root\n}\n${group}${instances
    .map((instance, i) => instanceText(names[i]!, instance))
    .join("\n")}`;
  const file = join(directory, "keepalived.conf");
  writeFileSync(file, configuration);
  const pids = ["pid", "vrrp_pid", "checkers_pid", "bfd_pid"].map((option) => `--${option}=${join(directory, option)}`);
  const log = join(directory, "log");
  writeFileSync(log, "");
  const argv = ["/usr/sbin/keepalived", "-n", "-l", "-D", "-G", "-P", "-R", `--use-file=${file}`, ...pids];
  const child = space.spawn(["sh", "-c", `exec ${argv.join(" ")} > ${log} 2>&1`], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const signal = (name: NodeJS.Signals) => {
    // Its own process group: parent and VRRP child together.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, name);
  };
  const kill = async () => {
    signal("SIGKILL");
    await ended;
  };
  rig.cleanup(kill);
  return {
    log: () => readFileSync(log, "utf8"),
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
    kill,
  };
}

function instanceText(name: string, instance: KeepalivedInstance): string {
  const { vrid = 10, priority = 100, preempt = true, intervalMs = 200, addresses = ["192.0.2.1/24"] } = instance;
  const lines = [
    "  state BACKUP",
    "  interface eth0",
    `  virtual_router_id ${vrid}`,
    `  priority ${priority}`,
    `  advert_int ${intervalMs / 1000}`,
    "  garp_master_delay 1",
    ...(preempt ? [] : ["  nopreempt"]),
    ...(instance.virtualMac === true ? ["  use_vmac", "  vmac_xmit_base"] : []),
    `  virtual_ipaddress {\n${addresses.map((address) => `    ${address} dev eth0`).join("\n")}\n  }`,
  ];
  return `vrrp_instance ${name} {\n${lines.join("\n")}\n}\n`;
}
