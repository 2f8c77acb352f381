/** What the programs copy while a capture's filter stands, and that they copy nothing else. */
import { type CaptureFilter, type Captured, type CaptureTables, captureTables } from "@futago/hal/xdp/capture.ts";
import type { BpfEvents } from "@futago/hal/contract/bpf.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addressOf, createTestBox, type TestBox, XDP_DROP, XDP_PASS, XDP_REDIRECT } from "./box.ts";
import { answer, CASES, casesWith, CLIENT_PORT, open, PORT, send, serviceOf, startCase } from "./cases.ts";
import { ACK, SYN } from "./packet.ts";
import { readTransport, transportFrame } from "./transport.ts";

let box: TestBox;
let tables: CaptureTables;
let reader: BpfEvents;
let captured: Captured[] = [];

const EVER = (1n << 63n) - 1n;
const ALL: CaptureFilter = { untilNanos: EVER, client: undefined, endpoints: undefined, snap: 256 };
const nat = casesWith({ mode: "nat", protocol: "tcp" })[0]![1];

beforeAll(async () => {
  box = await createTestBox();
  tables = captureTables(box.object);
  reader = tables.read((some) => captured.push(...some));
});
afterAll(async () => {
  reader?.close();
  await box?.destroy();
});
beforeEach(() => startCase(box, nat));
afterEach(() => {
  tables.end();
  reader.drain();
  captured = [];
});

/** What was captured since this was asked last. */
function taken(): readonly Captured[] {
  reader.drain();
  return captured.splice(0);
}

describe("capture", () => {
  it("copies nothing while nobody captures", () => {
    open(box, nat);
    expect(taken()).toEqual([]);
  });

  it.each(CASES)("shows a packet as it came and as it went, and changes nothing about it: %s", (_, one) => {
    startCase(box, one);
    const without = send(box, one, { flags: SYN });
    startCase(box, one);
    tables.begin(ALL);
    const sent = send(box, one, { flags: SYN });
    expect(sent.verdict).toBe(without.verdict);
    expect(sent.verdict).toBe(XDP_REDIRECT);
    const [packet, ...more] = taken();
    expect(more).toEqual([]);
    expect(packet).toMatchObject({ verdict: "redirect", reasons: [], ifindex: box.eth0 });
    expect(packet!.after.bytes).toEqual(sent.output);
    const came = readTransport(packet!.before.bytes);
    expect(came).toMatchObject({ source: one.client, destination: one.vip, sourcePort: CLIENT_PORT });
    expect(packet!.before.length).toBe(packet!.before.bytes.length);
  });

  it("shows replies, and those that are dropped with the reason", () => {
    const got = open(box, nat);
    tables.begin({ ...ALL, endpoints: [{ address: addressOf(nat.vip), port: PORT, protocol: "tcp" }] });
    answer(box, got, { flags: SYN | ACK });
    box.groups.set(2, 0);
    expect(answer(box, got, { flags: ACK }).verdict).toBe(XDP_DROP);
    const [passed, dropped] = taken();
    expect(readTransport(passed!.after.bytes)).toMatchObject({ source: nat.vip, destination: nat.client });
    expect(dropped).toMatchObject({ verdict: "drop", reasons: ["dropReplyClosed"], ifindex: box.eth1 });
    expect(dropped!.after.bytes).toEqual(dropped!.before.bytes);
  });

  it("takes only the client's packets, either way, when told so", () => {
    tables.begin({ ...ALL, client: addressOf(nat.farClient) });
    send(box, nat, { flags: SYN });
    const got = open(box, nat, { source: nat.farClient });
    answer(box, got, { flags: SYN | ACK });
    expect(taken().map(({ before }) => readTransport(before.bytes).source)).toEqual([nat.farClient, got.destination]);
  });

  it("takes only the service's packets when told so, and ICMP to its address", () => {
    const other = { ...serviceOf(nat, nat.backends.slice(0, 1)), port: 81, name: "other" };
    box.serve([serviceOf(nat, nat.backends.slice(1)), other]);
    tables.begin({ ...ALL, endpoints: [{ address: addressOf(nat.vip), port: 81, protocol: "tcp" }] });
    send(box, nat, { flags: SYN });
    send(box, nat, { flags: SYN, destinationPort: 81 });
    send(box, nat, { flags: SYN, destinationPort: 82 });
    expect(taken().map(({ before }) => readTransport(before.bytes).destinationPort)).toEqual([81]);
  });

  it("says of a packet that is left to the kernel why it was", () => {
    tables.begin(ALL);
    expect(send(box, nat, { flags: SYN, destinationPort: 99 }).verdict).toBe(XDP_PASS);
    expect(taken()).toMatchObject([{ verdict: "pass", reasons: ["passNoService"] }]);
  });

  it("goes with a packet into the second program and comes back", () => {
    send(box, nat, { flags: SYN });
    const got = open(box, nat);
    answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    send(box, nat, { flags: ACK, acknowledgement: 2001 });
    box.serve([
      serviceOf(
        nat,
        nat.backends.map((address) => [address, { alive: false }] as const),
      ),
    ]);
    tables.begin(ALL);
    const reset = send(box, nat, { flags: ACK });
    const [packet, ...more] = taken();
    expect(more).toEqual([]);
    expect(packet!.reasons).toContain("sentReset");
    expect(packet!.after.bytes).toEqual(reset.output);
    expect(readTransport(packet!.before.bytes).source).toBe(nat.client);
  });

  it("keeps no more of a frame than it was told, and says how long the frame was", () => {
    tables.begin({ ...ALL, snap: 60 });
    const payload = new Uint8Array(1_000).fill(7);
    const sent = send(box, nat, { flags: SYN, payload });
    const [packet] = taken();
    expect(packet!.before).toMatchObject({ length: 1_054, bytes: { length: 60 } });
    expect(packet!.after).toMatchObject({ length: 1_054, bytes: { length: 60 } });
    expect(packet!.after.bytes).toEqual(sent.output.slice(0, 60));
    tables.begin(ALL);
    send(box, nat, { flags: SYN, payload });
    expect(taken()[0]!.before.bytes).toHaveLength(256);
  });

  it("stops by itself when its time is over", () => {
    tables.begin({ ...ALL, untilNanos: 1n });
    expect(send(box, nat, { flags: SYN }).verdict).toBe(XDP_REDIRECT);
    expect(taken()).toEqual([]);
  });

  it("counts what finds no room, and goes on", () => {
    tables.begin(ALL);
    const frame = transportFrame({
      protocol: "tcp",
      source: nat.client,
      destination: nat.vip,
      flags: SYN,
      sourcePort: CLIENT_PORT,
      destinationPort: PORT,
    });
    for (let i = 0; i < 2_100; i++) expect(box.fromClient(frame).verdict).toBe(XDP_REDIRECT);
    const lost = tables.end();
    // A record of 552 bytes has 8 more in the ring, which holds a mebibyte.
    expect(lost).toBe(2_100 - Math.floor((1 << 20) / 560));
    expect(taken()).toHaveLength(2_100 - lost);
  });
});
