import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BundleIntake } from "./bundle-intake.ts";
import { type BundleRequest, decodeRequest, encodeRequest } from "./bundle-request.ts";
import { BundleSender, digestOf, type Offer } from "./bundle-sender.ts";
import type { UpdateMessage, UpdateRefused } from "./update-message.ts";

const LENGTH = 20_000_000;
const UPDATE = "00112233445566aa";
const PATIENCE = { timeout: 20_000 };

let place: string;
let file: string;
let sender: BundleSender | undefined;
let intake: BundleIntake;
/** What went over the link, and what was asked for beside it. */
let said: UpdateMessage[];
let asked: BundleRequest[];
let ends: (string | UpdateRefused)[];
let percents: number[];
const sockets = new Set<Socket>();
const servers = new Set<Server>();

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-transfer-"));
  file = join(place, "new.raucb");
  writeFileSync(file, Buffer.alloc(LENGTH, "futago "));
  [said, asked, ends, percents] = [[], [], [], []];
  intake = new BundleIntake(
    place,
    (message) => toSender(message),
    (offer) => ends.push(`whole ${offer.update}`),
  );
});
afterEach(async () => {
  vi.restoreAllMocks();
  sender?.close();
  sender = undefined;
  await intake.close();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  rmSync(place, { recursive: true });
});

function toSender(message: UpdateMessage): void {
  said.push(message);
  if (message.kind === "updateGot") setImmediate(() => sender?.hear(message));
}

function toIntake(message: UpdateMessage): void {
  said.push(message);
  if (message.kind === "updateOffer") setImmediate(() => intake.take(message));
}

async function offerOf(change: Partial<Offer> = {}): Promise<Offer> {
  return {
    update: UPDATE,
    lead: false,
    version: "2.0.0",
    author: "ann",
    length: LENGTH,
    digest: await digestOf(file),
    ...change,
  };
}

async function begin(change: Partial<Offer> = {}): Promise<void> {
  sender = await BundleSender.begin({
    offer: await offerOf(change),
    file,
    send: toIntake,
    onPercent: (percent) => percents.push(percent),
    onWhole: () => ends.push("sent"),
    onRefused: (refusal) => ends.push(refusal),
  });
}

/** A connection to somebody. */
async function connection(answer: (socket: Socket) => void): Promise<Socket> {
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    answer(socket);
  });
  servers.add(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  sockets.add(socket);
  await once(socket, "connect");
  return socket;
}

const toTheSender = () =>
  connection((socket) => {
    socket.on("data", (bytes) => void asked.push(decodeRequest(bytes)!));
    sender?.attach(socket);
  });

const over = () => vi.waitUntil(() => ends.length >= 2, PATIENCE);

it("is asked for once, comes over as it is, and is compared", async () => {
  await begin();
  intake.attach(await toTheSender());
  await over();
  expect(ends).toEqual([`whole ${UPDATE}`, "sent"]);
  expect(asked).toEqual([{ update: UPDATE, offset: 0 }]);
  expect(readFileSync(intake.fileOf(UPDATE) ?? "").equals(readFileSync(file))).toBe(true);
  expect([intake.isWanting, sender?.isClosed]).toEqual([false, true]);
});

it("is asked for also over a connection that stood before it was offered", async () => {
  const socket = await connection((other) => other.once("data", () => other.write(readFileSync(file))));
  intake.attach(socket);
  await begin();
  await over();
  expect(ends).toEqual([`whole ${UPDATE}`, "sent"]);
});

it("is asked for from where it broke off", async () => {
  await begin();
  const first = await toTheSender();
  let came = 0;
  first.on("data", (bytes) => {
    came += bytes.length;
    if (came > LENGTH / 4) first.destroy();
  });
  intake.attach(first);
  await once(first, "close");
  expect(intake.isWanting).toBe(true);
  sender?.restart();
  await vi.waitUntil(() => percents.at(-1) === Math.floor((100 * came) / LENGTH), PATIENCE);
  intake.attach(await toTheSender());
  await over();
  expect(asked.map(({ offset }) => offset)).toEqual([0, came]);
  expect(ends.at(-1)).toBe("sent");
  expect(readFileSync(intake.fileOf(UPDATE) ?? "").equals(readFileSync(file))).toBe(true);
});

it("is refused and removed when it is not what was told", async () => {
  await begin({ digest: "00".repeat(32) });
  intake.attach(await toTheSender());
  await vi.waitUntil(() => ends.length >= 1, PATIENCE);
  expect(ends).toEqual([expect.objectContaining({ what: expect.stringContaining("SHA-256") })]);
  expect([intake.fileOf(UPDATE), intake.isWanting]).toEqual([undefined, false]);
});

it("is refused when more comes than was told", async () => {
  intake.take(await offerOf({ length: 1_000 }));
  intake.attach(await connection((socket) => socket.once("data", () => socket.write(Buffer.alloc(2_000)))));
  await vi.waitUntil(() => said.some((one) => one.kind === "updateGot" && one.refusal !== undefined), PATIENCE);
  expect(said.at(-1)).toMatchObject({ received: 0, refusal: { what: expect.stringContaining("were due") } });
  expect(intake.isWanting).toBe(false);
});

it("is not wanted any more when nobody has offered it for a while", async () => {
  intake.take(await offerOf());
  await vi.waitUntil(() => intake.isWanting, PATIENCE);
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 15_000);
  expect(intake.isWanting).toBe(false);
});

it("is given up in words when nothing of it reaches the other box, which still answers", async () => {
  await begin();
  await vi.waitUntil(() => percents.length > 0, PATIENCE);
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 120_001);
  await vi.waitUntil(() => ends.length > 0, PATIENCE);
  expect(ends).toEqual([expect.objectContaining({ exitCode: 5, what: expect.stringContaining("nothing more") })]);
  expect(sender?.isClosed).toBe(true);
});

it("takes nothing that it did not ask for", async () => {
  const socket = await connection((other) => other.write("AAAA"));
  intake.attach(socket);
  await once(socket, "close");
  expect(said).toEqual([]);
});

it.each([
  ["another bundle", encodeRequest({ update: "ff".repeat(8), offset: 0 })],
  ["what is behind its end", encodeRequest({ update: UPDATE, offset: LENGTH })],
  ["an offset that no number holds", Buffer.concat([Buffer.from(UPDATE, "hex"), Buffer.alloc(8, 0xff)])],
  ["nothing that can be read", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
])("gives nothing to one that asks for %s", async (_, request) => {
  await begin();
  const socket = await toTheSender();
  let came = 0;
  socket.on("data", (bytes) => void (came += bytes.length));
  socket.write(request);
  await once(socket, "close");
  expect(came).toBe(0);
  expect(sender?.isClosed).toBe(false);
});
