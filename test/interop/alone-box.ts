/**
 * One box alone as a process of its own, inside the network namespace it is started in: hal, gate and AloneSentinel
 * without core. Reads one JSON line per order, prints one JSON line per event and status.
 *
 *   node alone-box.ts BPF_DIRECTORY < lines of Message
 */
import { createInterface } from "node:readline";
import type { Orders } from "@futago/firmware/config/orders.ts";
import type { Penalty } from "@futago/firmware/runtime/messages.ts";
import { AloneSentinel } from "@futago/firmware/runtime/sentinel/alone.ts";
import type { ModeCommand } from "@futago/firmware/runtime/sentinel/mode.ts";
import { Gate } from "@futago/firmware/runtime/sentinel/gate.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import { openHal } from "@futago/hal/linux.ts";

export type Message =
  | { readonly kind: "orders"; readonly orders: Orders }
  | { readonly kind: "penalties"; readonly penalties: readonly Penalty[] }
  | { readonly kind: "command"; readonly command: ModeCommand };

const [bpfDirectory = ""] = process.argv.slice(2);
const hal = openHal();
hal.bpf.mount(bpfDirectory);
const gate = new Gate(hal.bpf, bpfDirectory);
const links = new Map<string, Link>();
let sentinel: AloneSentinel | undefined;

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const report = () => sentinel && say({ kind: "status", status: sentinel.status(), counters: sentinel.counters });

async function listLinks(): Promise<void> {
  links.clear();
  for (const link of await hal.network.links()) links.set(link.ifname, link);
  sentinel?.linksChanged();
}

hal.network.subscribe((event) => {
  if (event.kind === "link" || event.kind === "linkGone" || event.kind === "overrun") void listLinks();
});

async function obey(message: Message): Promise<void> {
  switch (message.kind) {
    case "orders": {
      await listLinks();
      const slots = new Map(message.orders.groups.map((group, slot) => [group.name, slot]));
      const routers = message.orders.groups.flatMap((group, slot) =>
        group.virtualRouters.map((router) => ({ router, slot })),
      );
      gate.setAddresses(
        routers.flatMap(({ router, slot }) => router.addresses.map(({ address }) => ({ address, slot }))),
      );
      gate.setDevices(routers.flatMap(({ router }) => links.get(router.device)?.ifindex ?? []));
      const context = {
        hal,
        gate,
        links,
        onEvent: (event: unknown) => say({ kind: "event", event }),
        onChange: report,
      };
      if (sentinel === undefined) sentinel = new AloneSentinel(context, message.orders, slots);
      else sentinel.setOrders(message.orders, slots);
      return;
    }
    case "penalties":
      return sentinel?.setPenalties(message.penalties);
    case "command":
      return void say({ kind: "answer", answer: await sentinel?.command(message.command) });
  }
}

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await sentinel?.stop();
  report();
  gate.close();
  hal.bpf.unmount(bpfDirectory);
  hal.close();
  process.exit(0);
}

process.on("SIGTERM", () => void end());
createInterface({ input: process.stdin }).on("line", (line) => void obey(JSON.parse(line) as Message));
setInterval(report, 50);
say({ kind: "ready" });
