/** DNS checks against a UDP server on loopback that answers as each test says. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { afterEach, expect, it } from "vitest";
import type { Outcome } from "../../../health/check.ts";
import { probeDns } from "./dns-probe.ts";
import type { RunningProbe } from "./probe.ts";
import type { Probe, Subject } from "./subjects.ts";

type DnsProbe = Extract<Probe, { kind: "dns" }>;

const address = "10.2.0.11" as IpAddress;
const now = () => instant(performance.now() * 1_000);
const dns: DnsProbe = {
  kind: "dns",
  port: undefined,
  query: "www.a.test",
  expectAnswer: undefined,
  intervalMs: 1_000,
  timeoutMs: 500,
  rise: 1,
  fall: 1,
};
const sockets: Socket[] = [];
const running: RunningProbe[] = [];

afterEach(() => {
  for (const probe of running.splice(0)) probe.end();
  for (const socket of sockets.splice(0)) socket.close();
});

/** Serves on the address; `answers` makes the datagrams that go back for a question. */
function serve(
  answers: (question: Buffer, from: RemoteInfo) => readonly Buffer[],
  host = "127.0.0.1",
): Promise<number> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  sockets.push(socket);
  socket.on("message", (question, from) => {
    for (const made of answers(question, from)) socket.send(made, from.port, from.address);
  });
  return new Promise((resolve) => socket.bind(0, host, () => resolve(socket.address().port)));
}

/** The question with the response bit, a code, and records behind it. */
function answer(question: Buffer, code: number, ...records: readonly string[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, Buffer.from(records.join(""), "hex")]);
}
const A_RECORD = "c00c000100010000003c00040a02000b";
const AAAA_RECORD = "c00c001c00010000003c001020010db8000000000000000000000005";

function start(port: number, changed: Partial<DnsProbe> = {}, host = "127.0.0.1", source?: string) {
  const probe = { ...dns, ...changed };
  const about = { kind: "backend", pool: "dns", backend: "s", at: "" } as const;
  const target = { address: host as IpAddress, device: undefined, source: source as IpAddress | undefined };
  const subject: Subject = { path: "s", about, probe, port, ...target };
  return new Promise<Outcome>((resolve) => running.push(probeDns(subject, probe, { now }, resolve)));
}

it("asks for the name, and is good when the expected address is among the answers", async () => {
  let asked = "";
  const port = await serve((question) => {
    asked = question.subarray(12).toString("hex");
    return [answer(question, 0, A_RECORD)];
  });
  expect(await start(port, { expectAnswer: address })).toMatchObject({ kind: "good", sentence: "answered 10.2.0.11" });
  expect(asked).toBe("03777777016104746573740000010001");
});

it("asks from the box's own address, for IPv6 addresses where one is expected", async () => {
  let from = "";
  const port = await serve((question, { address: asker }) => {
    from = asker;
    return [answer(question, 0, AAAA_RECORD)];
  });
  const expected = { expectAnswer: "2001:db8::5" as IpAddress };
  expect(await start(port, expected, "127.0.0.1", "127.0.0.9")).toMatchObject({ sentence: "answered 2001:db8::5" });
  expect(from).toBe("127.0.0.9");
});

it("asks over IPv6", async () => {
  const port = await serve((question) => [answer(question, 0, A_RECORD)], "::1");
  expect(await start(port, {}, "::1")).toMatchObject({ kind: "good", sentence: "answered 10.2.0.11" });
});

it.each([
  ["another address", (question: Buffer) => answer(question, 0, A_RECORD), "answered 10.2.0.11, expected 10.2.0.12"],
  ["no address", (question: Buffer) => answer(question, 0), "answered without an address, expected 10.2.0.12"],
  ["NXDOMAIN", (question: Buffer) => answer(question, 3), "answered NXDOMAIN"],
  ["REFUSED", (question: Buffer) => answer(question, 5), "answered REFUSED"],
  ["half a record", (question: Buffer) => answer(question, 0, A_RECORD.slice(0, 20)), "the answer is malformed"],
])("is bad on %s", async (_name, make, sentence) => {
  const port = await serve((question) => [make(question)]);
  const expected = { expectAnswer: "10.2.0.12" as IpAddress };
  expect(await start(port, expected)).toMatchObject({ kind: "failed", sentence });
});

it("does not take an answer with another id or to another question", async () => {
  const port = await serve((question) => {
    const [forged, other] = [answer(question, 3), answer(question, 3)];
    forged.writeUInt16BE(question.readUInt16BE(0) ^ 1, 0);
    other.write("x", 13);
    return [forged, other, Buffer.from("short"), answer(question, 0, A_RECORD)];
  });
  expect(await start(port)).toMatchObject({ kind: "good", sentence: "answered 10.2.0.11" });
});

it("is refused where nobody listens", async () => {
  const port = await serve(() => []);
  sockets.pop()?.close();
  expect(await start(port)).toEqual({ kind: "refused" });
});

it("has not asked when the box's own address is gone", async () => {
  const outcome = await start(53, {}, "127.0.0.1", "192.0.2.1");
  expect(outcome).toMatchObject({ kind: "notAsked" });
});
