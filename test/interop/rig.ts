/**
 * What the interop tests stand on: a switch in a namespace of its own, boxes and other routers plugged into it, and
 * polls that wait for a state instead of sleeping.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { GroupOrders, Orders, VirtualRouterOrders } from "@futago/firmware/config/orders.ts";
import type { SentinelEvent, SentinelStatus } from "@futago/firmware/runtime/messages.ts";
import type { CommandAnswer } from "@futago/firmware/runtime/sentinel/mode.ts";
import { parseIfname, parseInterfaceAddress, type InterfaceAddress } from "@futago/hal/units/address.ts";
import { createNetwork, type Namespace, type NamespaceOptions, type TestNetwork } from "../netns/namespaces.ts";
import type { Message } from "./alone-box.ts";

const POLL_MILLIS = 20;
const NODE = process.execPath;
const PROGRAM = fileURLToPath(new URL("alone-box.ts", import.meta.url));

/** Polls until `fact` answers something true; throws after `millis`. */
export async function until(what: string, fact: () => unknown, millis = 10_000): Promise<void> {
  const end = Date.now() + millis;
  for (;;) {
    if (await fact()) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${millis} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

export interface Rig {
  readonly net: TestNetwork;
  readonly directory: string;
  /** A namespace with a port "eth0" in the switch, its addresses set. */
  host(name: string, ...addresses: readonly string[]): Promise<Namespace>;
  /** A host that checks its IPv6 addresses for duplicates first, as the kernel has it by itself. */
  carefulHost(name: string, ...addresses: readonly string[]): Promise<Namespace>;
  /** Cuts two hosts off from each other while both keep their carrier and reach everybody else. */
  part(a: string, b: string): Promise<void>;
  join(a: string, b: string): Promise<void>;
  /** Does it before the rig is taken down, last added first. */
  cleanup(work: () => Promise<void> | void): void;
  destroy(): Promise<void>;
}

export async function createRig(): Promise<Rig> {
  const net = await createNetwork();
  const directory = mkdtempSync(join(tmpdir(), "futago-interop-"));
  const works: (() => Promise<void> | void)[] = [];
  const hub = await net.namespace("switch");
  await hub.bridge("br0", []);
  const host = async (name: string, addresses: readonly string[], options: NamespaceOptions): Promise<Namespace> => {
    const space = await net.namespace(name, options);
    const port = name.slice(0, 15);
    await net.link(hub, port, space, "eth0");
    await hub.ip(`link set ${port} master br0`);
    await space.run(["ethtool", "-K", "eth0", "tx", "off"]);
    for (const address of addresses) await space.ip(`address add ${address} dev eth0`);
    // As core has it on a box: an address is answered for and spoken of only where it is configured.
    await space.sysctl("net.ipv4.conf.all.arp_ignore", 1);
    await space.sysctl("net.ipv4.conf.all.arp_announce", 2);
    return space;
  };
  return {
    net,
    directory,
    host: (name, ...addresses) => host(name, addresses, {}),
    carefulHost: (name, ...addresses) => host(name, addresses, { duplicateDetection: true }),
    part: (...hosts) => isolate(hub, hosts, "on"),
    join: (...hosts) => isolate(hub, hosts, "off"),
    cleanup: (work) => void works.unshift(work),
    destroy: async () => {
      for (const work of works) await work();
      await net.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Isolated ports of a bridge hear the others, not each other. */
async function isolate(hub: Namespace, ports: readonly string[], onOff: "on" | "off"): Promise<void> {
  for (const port of ports) await hub.run(["bridge", "link", "set", "dev", port, "isolated", onOff]);
}

export async function holds(space: Namespace, address: string): Promise<boolean> {
  return (await space.ip("-o address show")).includes(` ${address}/`);
}

export interface RouterWish {
  readonly vrid?: number;
  readonly addresses?: readonly string[];
  readonly intervalMs?: number;
  readonly checksum?: "rfc5798" | "rfc9568";
  readonly virtualMac?: boolean;
  readonly family?: "ipv4" | "ipv6";
}

export interface BoxWish {
  readonly own: readonly string[];
  readonly priority?: number;
  readonly preempt?: boolean;
  readonly routers?: readonly RouterWish[];
}

export function ordersFor(wish: BoxWish): Orders {
  const device = parseIfname("eth0")!;
  const routers = (wish.routers ?? [{}]).map((router): VirtualRouterOrders => {
    const family = router.family ?? "ipv4";
    const addresses = router.addresses ?? (family === "ipv4" ? ["192.0.2.1/24"] : ["fe80::100/64", "2001:db8::1/64"]);
    return {
      interface: "lan",
      device,
      vrid: router.vrid ?? 10,
      family,
      addresses: addresses.map(parseAddress),
      advertisementIntervalMs: router.intervalMs ?? 200,
      checksum: router.checksum ?? "rfc5798",
      virtualMac: router.virtualMac ?? false,
    };
  });
  const group: GroupOrders = {
    name: "edge",
    preferred: undefined,
    preempt: wish.preempt ?? true,
    priority: wish.priority ?? 100,
    virtualRouters: routers,
  };
  const lan = { name: "lan", device, addresses: wish.own.map(parseAddress), peerAddresses: [] };
  return { revision: "0".repeat(64), box: undefined, pair: undefined, interfaces: [lan], groups: [group] };
}

function parseAddress(text: string): InterfaceAddress {
  return parseInterfaceAddress(text)!;
}

export interface AloneBox {
  readonly child: ChildProcess;
  readonly events: SentinelEvent[];
  status(): SentinelStatus | undefined;
  counters(): Readonly<Record<string, number>>;
  state(): string | undefined;
  give(message: Message): void;
  command(command: Extract<Message, { kind: "command" }>["command"]): Promise<CommandAnswer>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

/** Starts a box alone in a namespace and gives it its orders. */
export async function startBox(rig: Rig, space: Namespace, wish: BoxWish): Promise<AloneBox> {
  const bpf = mkdtempSync(join(rig.directory, "bpf-"));
  const child = space.spawn([NODE, PROGRAM, bpf], { stdio: ["pipe", "pipe", "pipe"] });
  const events: SentinelEvent[] = [];
  const answers: CommandAnswer[] = [];
  let latest: { status: SentinelStatus; counters: Readonly<Record<string, number>> } | undefined;
  let ready = false;
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.kind === "ready") ready = true;
    if (message.kind === "status") latest = message;
    if (message.kind === "event") events.push(message.event);
    if (message.kind === "answer") answers.push(message.answer);
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  rig.cleanup(async () => {
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await ended;
    await space.tryRun(["umount", bpf]);
  });
  const give = (message: Message) => void child.stdin?.write(`${JSON.stringify(message)}\n`);
  await until("the box is ready", () => {
    if (child.exitCode !== null) throw new Error(`the box ended: ${errors}`);
    return ready;
  });
  give({ kind: "orders", orders: ordersFor(wish) });
  return {
    child,
    events,
    status: () => latest?.status,
    counters: () => latest?.counters ?? {},
    state: () => latest?.status.groups[0]?.state,
    give,
    command: async (command) => {
      const before = answers.length;
      give({ kind: "command", command });
      await until("an answer", () => answers.length > before);
      return answers[before]!;
    },
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
