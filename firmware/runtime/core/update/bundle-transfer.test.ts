import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BundleIntake } from "./bundle-intake.ts";
import { BundleSender, digestOf, type Offer } from "./bundle-sender.ts";
import type { UpdateMessage, UpdateRefused } from "./update-message.ts";

let place: string;
let file: string;
let sender: BundleSender | undefined;
let intake: BundleIntake;
/** The link: up, and what went over it. */
let up = true;
/** It goes down with this piece. */
let cutAt = -1;
let said: UpdateMessage[];
let ends: (string | UpdateRefused)[];
const percents: number[] = [];

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-transfer-"));
  file = join(place, "new.raucb");
  writeFileSync(file, Buffer.alloc(1_000_000, "futago "));
  [up, said, ends, cutAt] = [true, [], [], -1];
  intake = new BundleIntake(
    place,
    (message) => toSender(message),
    (offer) => ends.push(`whole ${offer.update}`),
  );
});
afterEach(async () => {
  sender?.close();
  await intake.close();
  rmSync(place, { recursive: true });
});

function toSender(message: UpdateMessage): void {
  said.push(message);
  if (up && message.kind === "updateGot") setImmediate(() => sender?.hear(message));
}

function toIntake(message: UpdateMessage): void {
  said.push(message);
  if (said.filter(({ kind }) => kind === "updatePiece").length === cutAt) up = false;
  if (!up) return;
  if (message.kind === "updateOffer") setImmediate(() => intake.take(message));
  if (message.kind === "updatePiece") setImmediate(() => intake.piece(message));
}

async function begin(change: Partial<Offer> = {}): Promise<Offer> {
  const offer: Offer = {
    update: "00112233445566aa",
    lead: false,
    version: "2.0.0",
    author: "ann",
    length: 1_000_000,
    digest: await digestOf(file),
    ...change,
  };
  sender = await BundleSender.begin({
    offer,
    file,
    send: toIntake,
    onPercent: (percent) => percents.push(percent),
    onWhole: () => ends.push("sent"),
    onRefused: (refusal) => ends.push(refusal),
  });
  return offer;
}

const over = () => vi.waitUntil(() => ends.length >= 2, { timeout: 20_000 });

it("goes over a piece at a time, and is compared", async () => {
  const { update } = await begin();
  await over();
  expect(ends).toEqual([`whole ${update}`, "sent"]);
  expect(readFileSync(intake.fileOf(update) ?? "").equals(readFileSync(file))).toBe(true);
  // Each piece waits for the answer to the one before.
  const kinds = said.map(({ kind }) => kind).filter((kind) => kind !== "updateOffer");
  expect(kinds.slice(0, 6)).toEqual([
    "updateGot",
    "updatePiece",
    "updateGot",
    "updatePiece",
    "updateGot",
    "updatePiece",
  ]);
});

it("goes on where it was when the link comes back", async () => {
  cutAt = 4;
  await begin();
  await vi.waitUntil(() => !up, { timeout: 20_000 });
  cutAt = -1;
  const before = said.length;
  up = true;
  sender?.restart();
  await over();
  const first = said.slice(before).find((one) => one.kind === "updatePiece");
  expect(first?.kind === "updatePiece" && first.offset).toBe(3 * (64 << 10));
  expect(ends.at(-1)).toBe("sent");
});

it("is refused and removed when it is not what was told", async () => {
  const { update } = await begin({ digest: "00".repeat(32) });
  await vi.waitUntil(() => ends.length >= 1, { timeout: 20_000 });
  expect(ends).toEqual([expect.objectContaining({ what: expect.stringContaining("SHA-256") })]);
  expect(intake.fileOf(update)).toBe(undefined);
});

it("takes nothing of a bundle that was not offered", async () => {
  intake.piece({ kind: "updatePiece", update: "ffffffffffffffff", offset: 0, bytes: "AAAA" });
  await intake.forget();
  expect(said).toEqual([]);
});
