/**
 * One box of a pair as far as commits go: the real store on a real disk, the real judgement, protocol and link between
 * the cores, without kernel and sentinel. Run inside a namespace by commit-deaths.test.ts:
 *   commit-end.ts BOX DIRECTORY PORT KEY [ADDRESS DEVICE]
 * Takes orders as JSON lines on standard input, and prints what happens as JSON lines.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fromHex } from "@futago/hal/units/bytes.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { Committer } from "@futago/firmware/runtime/core/commit/committer.ts";
import { Configuration } from "@futago/firmware/runtime/core/configuration.ts";
import type { Log } from "@futago/firmware/runtime/core/log.ts";
import { Pair } from "@futago/firmware/runtime/core/pair.ts";
import { keyCredentials } from "@futago/firmware/runtime/core/peer-link/credentials.ts";

export type Order =
  | { readonly kind: "role"; readonly active: boolean; readonly peerAlive: boolean }
  | { readonly kind: "commit"; readonly number: number; readonly document: string }
  | { readonly kind: "lineage" };

export type Said =
  | { readonly kind: "up"; readonly up: boolean }
  | { readonly kind: "inForce"; readonly id: string }
  | { readonly kind: "done"; readonly number: number; readonly revision: string | undefined; readonly what: string }
  | { readonly kind: "lost"; readonly id: string }
  | { readonly kind: "lineage"; readonly ids: readonly string[] };

const wrongBy = Number(process.env["FUTAGO_CLOCK_DAYS"] ?? 0) * 86_400_000;
const RightDate = Date;
globalThis.Date = class extends RightDate {
  constructor(...given: readonly [] | readonly [string | number | Date]) {
    super(given[0] ?? RightDate.now() + wrongBy);
  }
  static override now(): number {
    return RightDate.now() + wrongBy;
  }
} as DateConstructor;

const [letter, directory = "", port, key, address, device] = process.argv.slice(2);
const box = letter === "a" ? "a" : "b";
const say = (what: Said) => process.stdout.write(`${JSON.stringify(what)}\n`);
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Log;

const configuration = await Configuration.open({
  stateDirectory: directory,
  box,
  hasPairKey: true,
  joined: undefined,
  devices: () => Promise.resolve(["eth0", "eth1", "eth2"]),
});
const committer = await Committer.open({
  hal: {
    clock: { now: () => instant(Number(process.hrtime.bigint() / 1_000n)) },
    sysctl: { read: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"), write: () => undefined },
  },
  configuration,
  log: quiet,
  box,
  putIntoForce: ({ revision }) => {
    say({ kind: "inForce", id: revision.id });
    return Promise.resolve(undefined);
  },
  send: (message) => pair.send(message),
  sent: () => pair.commitMessagesSent(),
  onChange: () => {
    const { lost } = committer.disagreement;
    if (lost !== undefined) say({ kind: "lost", id: lost.sibling });
  },
});
const nothing = () => undefined;
const pair: Pair = new Pair({
  box,
  port: Number(port),
  credentials: keyCredentials(fromHex(key ?? "") ?? new Uint8Array(0)),
  met: undefined,
  revision: () => committer.head?.id ?? "",
  onChange: nothing,
  onTold: nothing,
  pictureOf: nothing,
  poolNames: () => [],
  onStale: nothing,
  onDrains: nothing,
  onRotation: () => undefined,
  onFarewell: () => undefined,
  mayMove: () => true,
  wantsFlows: () => false,
  onFlows: (socket) => void socket.resume(),
  wantsBundle: () => false,
  onBundle: (socket) => void socket.resume(),
  onLink: (up) => {
    say({ kind: "up", up });
    committer.setLink(up);
  },
  onActivation: () => undefined,
  onArriving: (length) => committer.arriving(length),
  onCommitMessage: (message) => committer.receive(message),
  onBoxMessage: () => undefined,
  onDrillMessage: () => undefined,
  onUpdateMessage: () => undefined,
  onTimelineMessage: () => undefined,
  onAccessMessage: () => undefined,
  count: nothing,
});
if (address !== undefined) pair.setAddresses([{ address, device: device as Ifname, ifindex: 0 }]);

async function carryOut(order: Order): Promise<void> {
  switch (order.kind) {
    case "role":
      return committer.setRole(order.active, order.peerAlive);
    case "lineage":
      return void say({ kind: "lineage", ids: (await configuration.store.lineage(10_000)).map(({ id }) => id) });
    case "commit": {
      const { number, document } = order;
      const outcome = await committer.request({
        kind: "commit",
        source: { kind: "given", document },
        base: undefined,
        author: "test",
        comment: String(number),
        confirmSeconds: undefined,
      });
      const done = outcome.kind === "done";
      say({
        kind: "done",
        number,
        revision: done ? outcome.revision : undefined,
        what: done ? outcome.peer : outcome.refusal.what,
      });
    }
  }
}

createInterface({ input: process.stdin }).on("line", (line) => void carryOut(JSON.parse(line) as Order));
await committer.bringUp();
