/**
 * Gives the machine's Ethernet ports their names ([ports](../../ports/README.md)), and remembers them in `DIR/ports.json`.
 * Done before anything else knows a port by its name; to do it again changes nothing.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Network } from "@futago/hal/contract/network.ts";
import { type FoundPort, type NamedPlace, namePorts, type PortNames, portNumber } from "../../ports/port-names.ts";
import { placeOf } from "../../ports/place.ts";
import { writeWhole } from "../files.ts";
import { parseObject } from "../line-reader.ts";

/** Where the kernel and udev show the machine; other directories in tests. */
export interface MachineRoots {
  readonly sys: string;
  readonly proc: string;
  readonly run: string;
}

export const MACHINE_ROOTS: MachineRoots = { sys: "/sys", proc: "/proc", run: "/run" };

const FILE = "ports.json";
const PLACE_LENGTH_MAX = 400;
/** ARPHRD_ETHER of linux/if_arp.h. */
const ETHERNET = "1";
/** A driver may take as long to find its card; a box with a dead card starts all the same. */
const WAIT_MILLIS = 10_000;
const LOOK_MILLIS = 20;
/** So long nobody found a device: then there is no more to come. Only a start that misses a port waits for it. */
const QUIET_MILLIS = 3_000;

export async function nameMachinePorts(network: Network, directory: string, roots: MachineRoots): Promise<PortNames> {
  const remembered = readRemembered(directory);
  await waitForPorts(remembered, roots);
  const links = await network.links();
  const found = links.flatMap((link): FoundPort[] => {
    const place = placeOfLink(link.ifname, roots);
    return place === undefined ? [] : [{ ifindex: link.ifindex, ifname: link.ifname, place }];
  });
  const others = links.filter(({ ifindex }) => !found.some((port) => port.ifindex === ifindex));
  const names = namePorts(found, remembered, new Set(others.map(({ ifname }) => ifname)));
  for (const { ifindex, to } of names.renames) await rename(network, ifindex, to);
  remember(directory, names.remembered, remembered);
  return names;
}

/** Linux before 6.2 renames no link that is up. */
async function rename(network: Network, ...[ifindex, to]: Parameters<Network["renameLink"]>): Promise<void> {
  try {
    await network.renameLink(ifindex, to);
  } catch (error) {
    if (!(error instanceof HalError) || error.code !== "EBUSY") throw error;
    await network.setLinkUp(ifindex, false);
    await network.renameLink(ifindex, to);
  }
}

/** Until all that were here before are here, or the machine has found all that it has. */
async function waitForPorts(remembered: readonly NamedPlace[], roots: MachineRoots): Promise<void> {
  const until = performance.now() + WAIT_MILLIS;
  let quietSince = performance.now();
  while (performance.now() < until) {
    const places = new Set(readdirSync(join(roots.sys, "class/net")).map((name) => placeOfLink(name, roots)));
    if (remembered.length > 0 && remembered.every(({ place }) => places.has(place))) return;
    // A machine without systemd has its drivers already. The queue is there while udev works on what the kernel told it.
    if (!existsSync(join(roots.run, "systemd/system"))) return;
    const isBusy = existsSync(join(roots.run, "udev/queue")) || !existsSync(join(roots.run, "udev/control"));
    if (isBusy) quietSince = performance.now();
    else if (performance.now() - quietSince >= QUIET_MILLIS) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
  }
}

/** Undefined for what is no Ethernet port of the machine itself: no hardware, no cable, or a part of another one. */
function placeOfLink(ifname: string, { sys }: MachineRoots): string | undefined {
  const link = join(sys, "class/net", ifname);
  const device = join(link, "device");
  if (!existsSync(device) || readLine(join(link, "type")) !== ETHERNET) return undefined;
  const isOther = ["wireless", "phy80211", "dsa", "device/physfn"].some((name) => existsSync(join(link, name)));
  if (isOther) return undefined;
  const root = `${realpathSync(join(sys, "devices"))}/`;
  const path = realpathSync(device);
  if (!path.startsWith(root)) return undefined;
  const devPort = Number(readLine(join(link, "dev_port")));
  return placeOf({
    path: path.slice(root.length),
    devPort: Number.isInteger(devPort) ? devPort : 0,
    physPortName: readLine(join(link, "phys_port_name")),
  });
}

/** "" where there is none, or where the driver has no answer. */
function readLine(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // Drivers answer EOPNOTSUPP to what they do not know.
    return "";
  }
}

/** Nothing where there is nothing, or something that is not ours: then the ports are named as on a new machine. */
function readRemembered(directory: string): readonly NamedPlace[] {
  const ports = parseObject(readLine(join(directory, FILE)))?.["ports"];
  const all: readonly unknown[] = Array.isArray(ports) ? ports : [];
  const good = all.filter(isNamedPlace);
  const isOnce = (key: keyof NamedPlace) => new Set(good.map((one) => one[key])).size === good.length;
  return good.length === all.length && isOnce("name") && isOnce("place") ? good : [];
}

function isNamedPlace(value: unknown): value is NamedPlace {
  const { name, place } = (value ?? {}) as Partial<Record<keyof NamedPlace, unknown>>;
  if (typeof name !== "string" || typeof place !== "string") return false;
  return portNumber(name) !== undefined && place.length <= PLACE_LENGTH_MAX;
}

function remember(directory: string, now: readonly NamedPlace[], before: readonly NamedPlace[]): void {
  if (JSON.stringify(now) === JSON.stringify(before)) return;
  writeWhole(join(directory, FILE), `${JSON.stringify({ ports: now }, undefined, 2)}\n`);
}

/** The next to name them finds a machine that nobody named a port of. */
export function forgetPortNames(directory: string): void {
  rmSync(join(directory, FILE), { force: true });
}
