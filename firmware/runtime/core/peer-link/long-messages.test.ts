import fc from "fast-check";
import { expect, it } from "vitest";
import { LONG_LENGTH_MAX, LongReader, LongSender, PART_LENGTH_MAX } from "./long-messages.ts";
import { decodePeerMessage, encodePeerMessage, PEER_LINE_BYTES_MAX, type PeerPart } from "./message.ts";

function sender(unsent: () => number | undefined = () => 0) {
  const parts: PeerPart[] = [];
  const stuck: string[] = [];
  const onStuck = () => void stuck.push("stuck");
  return { parts, stuck, sender: new LongSender({ send: (part) => void parts.push(part), unsent, onStuck }) };
}

/** What the other end makes of the parts, over the wire's own text. */
function read(parts: readonly PeerPart[]): readonly string[] {
  const reader = new LongReader();
  return parts.flatMap((part) => {
    const line = decodePeerMessage(encodePeerMessage(part).trimEnd());
    const pushed = line.ok && line.value.kind === "part" ? reader.push(line.value) : "more";
    return typeof pushed === "object" ? [pushed.text] : [];
  });
}

it("gives the texts back in their order, whatever they hold", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 50 })), (texts) => {
      const { parts, sender: long } = sender();
      for (const text of texts) long.send(text);
      expect(read(parts)).toEqual(texts);
    }),
  );
});

it("cuts what is long, through the middle of a letter too, and no part is longer than a line", () => {
  const text = `${"\u0000".repeat(PART_LENGTH_MAX - 1)}😀${"ü".repeat(PART_LENGTH_MAX)}`;
  const { parts, sender: long } = sender();
  long.send(text);
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(Buffer.byteLength(encodePeerMessage(part))).toBeLessThan(PEER_LINE_BYTES_MAX);
  expect(read(parts)).toEqual([text]);
});

it("waits for a peer that is slow to read, and drops what was for a link that is gone", async () => {
  let unsent: number | undefined = 1 << 20;
  const { parts, sender: long } = sender(() => unsent);
  long.send("first");
  long.send("second");
  expect(parts).toEqual([]);
  unsent = 0;
  await expect.poll(() => read(parts), { timeout: 5_000, interval: 2 }).toEqual(["first", "second"]);
  unsent = 1 << 20;
  long.send("third");
  unsent = undefined;
  await expect.poll(() => (unsent === undefined ? "gone" : ""), { timeout: 1_000 }).toBe("gone");
  long.restart();
  unsent = 0;
  long.send("fourth");
  expect(read(parts)).toEqual(["first", "second", "fourth"]);
});

it("tells when nothing waits any more, also because the link is gone", async () => {
  let unsent: number | undefined = 1 << 20;
  const { parts, sender: long } = sender(() => unsent);
  await long.empty();
  long.send("first");
  const sent = long.empty().then(() => parts.length);
  unsent = 0;
  expect(await sent).toBe(1);
  unsent = 1 << 20;
  long.send("second");
  const lost = long.empty().then(() => parts.length);
  long.restart();
  expect(await lost).toBe(1);
});

it("holds so much for a peer that reads nothing, and no more", async () => {
  for (const [text, fits] of [
    ["short", 1_024],
    ["x".repeat(LONG_LENGTH_MAX), 2],
  ] as const) {
    const { stuck, sender: long } = sender(() => 1 << 20);
    for (let i = 0; i < fits; i++) long.send(text);
    expect(stuck).toEqual([]);
    long.send(text);
    expect(stuck).toEqual(["stuck"]);
    await long.empty();
    long.send(text);
    expect(stuck).toHaveLength(1);
    long.restart();
  }
});

it("counts what has gone no more", () => {
  const { stuck, parts, sender: long } = sender();
  for (let i = 0; i < 2_000; i++) long.send("short");
  for (let i = 0; i < 3; i++) long.send("x".repeat(LONG_LENGTH_MAX));
  expect(stuck).toEqual([]);
  expect(parts.length).toBeGreaterThan(2_000);
});

it("does not hold more than the longest message", () => {
  const reader = new LongReader();
  const part: PeerPart = { kind: "part", text: "x".repeat(1 << 24), last: false };
  const pushed = Array.from({ length: LONG_LENGTH_MAX / part.text.length + 1 }, () => reader.push(part));
  expect(pushed.at(-2)).toBe("more");
  expect(pushed.at(-1)).toBe("tooLong");
});

it("holds nothing of parts that hold nothing", () => {
  const reader = new LongReader();
  for (let i = 0; i < 1_000; i++) expect(reader.push({ kind: "part", text: "", last: false })).toBe("more");
  expect(reader.push({ kind: "part", text: "{}", last: true })).toEqual({ kind: "whole", text: "{}" });
});
