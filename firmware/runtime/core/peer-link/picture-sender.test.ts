import { afterEach, beforeEach, expect, it } from "vitest";
import { encodePeerMessage, PEER_LINE_BYTES_MAX, type PeerPool } from "./message.ts";
import { PictureSender } from "./picture-sender.ts";

let pools: Map<string, PeerPool>;
let sent: (readonly PeerPool[])[];
let unsent: number | undefined;
let sender: PictureSender;

const pool = (name: string, backends: number, reason = "open"): PeerPool => ({
  name,
  backends: Array.from({ length: backends }, (_, i) => ({ name: `s${i}`, healthy: true, blind: false, reason })),
});
const names = () => sent.flat().map((one) => one.name);

beforeEach(() => {
  pools = new Map();
  sent = [];
  unsent = 0;
  sender = new PictureSender({
    pictureOf: (name) => {
      const one = pools.get(name);
      return one && { of: one, make: () => one };
    },
    send: (some) => void sent.push(some),
    unsent: () => unsent,
  });
});
afterEach(() => sender.close());

it("tells all pools when the link comes up, and later only what stands otherwise", () => {
  for (const name of ["a", "b", "c"]) pools.set(name, pool(name, 2));
  sender.restart([...pools.keys(), "not ours"]);
  expect(names()).toEqual(["a", "b", "c"]);
  sent = [];
  sender.changed(["a", "b", "c"]);
  expect(sent).toEqual([]);
  pools.set("b", pool("b", 2, "refused"));
  sender.changed(["a", "b", "c"]);
  expect(sent).toEqual([[pool("b", 2, "refused")]]);
});

it("tells all again after the link was down, and nothing while it is", () => {
  pools.set("a", pool("a", 1));
  sender.restart(["a"]);
  unsent = undefined;
  pools.set("a", pool("a", 1, "refused"));
  sender.changed(["a"]);
  expect(names()).toEqual(["a"]);
  unsent = 0;
  sender.restart(["a"]);
  expect(sent.at(-1)).toEqual([pool("a", 1, "refused")]);
});

it("tells again of a pool that was another box's meanwhile", () => {
  const mine = pool("a", 1);
  pools.set("a", mine);
  sender.restart(["a"]);
  pools.delete("a");
  sender.changed(["a"]);
  pools.set("a", mine);
  sender.changed(["a"]);
  expect(names()).toEqual(["a", "a"]);
});

it("keeps every message below the length of a line, with the largest pools and the worst of reasons", async () => {
  for (let i = 0; i < 40; i++) pools.set(`p${i}`, pool(`p${i}`, 128, "\u0001".repeat(300)));
  sender.restart([...pools.keys()]);
  await expect.poll(() => names().length, { timeout: 5_000, interval: 5 }).toBe(40);
  expect(sent.length).toBeGreaterThan(5);
  for (const message of sent) {
    const line = encodePeerMessage({ kind: "health", revision: "a".repeat(64), pools: message });
    expect(Buffer.byteLength(line)).toBeLessThan(PEER_LINE_BYTES_MAX);
  }
});

it("waits for a peer that is slow to read", async () => {
  pools.set("a", pool("a", 1));
  unsent = 1 << 20;
  sender.restart(["a"]);
  expect(sent).toEqual([]);
  unsent = 0;
  await expect.poll(names, { timeout: 5_000, interval: 5 }).toEqual(["a"]);
});
