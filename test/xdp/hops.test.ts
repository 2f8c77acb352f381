/** The next hops that the balancer remembers, and for how long. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeAddress, encodeNumber } from "@futago/hal/xdp/layout.ts";
import {
  addressOf,
  backendMac,
  CLIENT_MAC,
  createTestBox,
  type TestBox,
  XDP_DROP,
  XDP_PASS,
  XDP_REDIRECT,
} from "./box.ts";
import { answer, CASES, casesWith, open, send, serviceOf, startCase } from "./cases.ts";
import { changeNewest } from "./every-processor.ts";
import { mac } from "./packet.ts";
import { bootNanos } from "./pins.ts";
import { counted, outcome } from "./talk.ts";
import { isIpv6, readTransport } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

const HOUR = 3_600_000_000_000n;
const OTHER_MAC = "02:00:00:00:09:99";

const macOf = (output: Uint8Array) => readTransport(output).destinationMac;

const falsify = (name: string, key: Uint8Array, change: (hop: DataView) => void) => {
  const generationOf = (hop: DataView) => BigInt(hop.getUint32(8, true));
  expect(changeNewest(box.object.map(name), key, generationOf, change)).toBe(true);
};
const otherUntil = (until: bigint) => (hop: DataView) => {
  hop.setBigUint64(0, until, true);
  new Uint8Array(hop.buffer).set(mac(OTHER_MAC), 20);
};

describe.each(CASES)("%s", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  const backendKey = () => {
    const [entry] = box.tables.read().filter(({ kind }) => kind === "service");
    return encodeNumber(entry?.kind === "service" ? entry.index * 128 : -1);
  };
  it("the backend's is used until its time or its generation is over", () => {
    expect(macOf(send(box, one).output)).toBe(backendMac(s1));
    falsify("backend_hops", backendKey(), otherUntil(bootNanos() + HOUR));
    expect(macOf(send(box, one).output)).toBe(OTHER_MAC);
    falsify("backend_hops", backendKey(), otherUntil(bootNanos()));
    expect(macOf(send(box, one).output)).toBe(backendMac(s1));
    falsify("backend_hops", backendKey(), otherUntil(bootNanos() + HOUR));
    box.tables.nextGeneration();
    expect(macOf(send(box, one).output)).toBe(backendMac(s1));
  });

  it("a remembered way that is too narrow is not taken", () => {
    send(box, one);
    falsify("backend_hops", backendKey(), (hop) => {
      hop.setBigUint64(0, bootNanos() + HOUR, true);
      hop.setUint16(16, 600, true);
    });
    expect(send(box, one, { payload: new Uint8Array(500) }).verdict).toBe(XDP_REDIRECT);
    // What is sent instead goes back to where the packet came from.
    const { verdict } = send(box, one, { payload: new Uint8Array(600) });
    expect(verdict).not.toBe(XDP_REDIRECT);
  });

  it("a backend that no route leads to gets nothing", () => {
    box.serve([serviceOf(one, [isIpv6(one.vip) ? "2001:db8:dead::5" : "203.0.113.5"])]);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_DROP, { dropNoRoute: 1 }]);
  });
});

describe.each(CASES.filter(([, { mode }]) => mode !== "direct"))("%s: the client", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("the client's is used until its time or its generation is over", () => {
    const key = encodeAddress(addressOf(one.client));
    const got = open(box, one);
    expect(macOf(answer(box, got).output)).toBe(CLIENT_MAC);
    falsify("client_hops", key, otherUntil(bootNanos() + HOUR));
    expect(macOf(answer(box, got).output)).toBe(OTHER_MAC);
    falsify("client_hops", key, otherUntil(bootNanos()));
    expect(macOf(answer(box, got).output)).toBe(CLIENT_MAC);
    falsify("client_hops", key, otherUntil(bootNanos() + HOUR));
    box.tables.nextGeneration();
    expect(macOf(answer(box, got).output)).toBe(CLIENT_MAC);
  });
});

describe.each(casesWith({ mode: "direct" }))("%s", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("a backend behind a gateway gets nothing: the gateway would send it back", () => {
    box.serve([serviceOf(one, [isIpv6(one.vip) ? "2001:db8:3::5" : "192.0.2.5"])]);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_DROP, { dropNoRoute: 1 }]);
  });

  it("a frame that is the backend's already is not sent again", () => {
    // The backend is on the client's side, so that it goes out by the port that it came in by.
    box.serve([serviceOf(one, [one.client])]);
    const first = send(box, one, { source: one.farClient });
    expect(macOf(first.output)).toBe(CLIENT_MAC);
    expect(counted(box, () => box.fromClient(first.output))).toEqual({});
    expect(box.fromClient(first.output).verdict).toBe(XDP_PASS);
  });
});
