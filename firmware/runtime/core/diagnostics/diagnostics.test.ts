import { FakeIcmp } from "@futago/hal/fake/icmp.ts";
import { FakeClock } from "@futago/hal/fake/machine.ts";
import { type IpAddress, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PingEvent, TracerouteEvent } from "../../control-ports.ts";
import { Diagnostics } from "./diagnostics.ts";
import { type Lookup, Targets } from "./target.ts";

const at = (text: string): IpAddress => parseIpAddress(text)!;
const FAR = at("192.0.2.7");
const ROUTERS = [at("10.1.0.254"), undefined, at("198.51.100.1")];

let diagnostics: Diagnostics | undefined;
afterEach(() => diagnostics?.close());

function open(lookup: Lookup = async () => []) {
  const clock = new FakeClock();
  const icmp = new FakeIcmp(() => clock.now());
  icmp.setHost(FAR, "answers");
  icmp.setHost(at("10.1.0.66"), "silent");
  icmp.setHost(at("192.0.2.9"), "silent");
  const surroundings = () => ({ own: [parseInterfaceAddress("10.1.0.2/24")!], pair: [at("10.1.0.3")] });
  diagnostics = new Diagnostics({ icmp, clock }, new Targets({ lookup, surroundings }));
  return { icmp, ...diagnostics.begun };
}

/** All events, once the last one came. */
async function heard<Event extends { readonly kind: string }, Query>(
  begin: (query: Query, tell: (event: Event) => void, asker: unknown) => Promise<() => void>,
  query: Query,
): Promise<readonly Event[]> {
  const events: Event[] = [];
  await begin(query, (event) => events.push(event), {});
  await vi.waitFor(() => expect(events.at(-1)?.kind).toBe("ended"), { timeout: 5_000 });
  return events;
}

describe("ping", () => {
  it("tells each answer, then how many there were", async () => {
    const { ping } = open();
    const events = await heard<PingEvent, { to: string; count: number }>(ping, { to: FAR, count: 2 });
    expect(events).toEqual([
      { kind: "began", address: FAR },
      { kind: "answer", sequence: 1, rttMicros: 0 },
      { kind: "answer", sequence: 2, rttMicros: 0 },
      { kind: "ended", sent: 2, received: 2 },
    ]);
  });

  it("tells silence, and that this box has no way", async () => {
    const { ping } = open();
    expect(await heard<PingEvent, { to: string; count: number }>(ping, { to: "10.1.0.66", count: 1 })).toEqual([
      { kind: "began", address: "10.1.0.66" },
      { kind: "silence", sequence: 1 },
      { kind: "ended", sent: 1, received: 0 },
    ]);
    const events = await heard<PingEvent, { to: string; count: number }>(ping, { to: "203.0.113.1", count: 1 });
    expect(events[1]).toEqual({ kind: "unreachable", sequence: 1, from: null, reason: "no-route" });
  });

  it.each([
    [{ to: FAR, count: 101 }, "count is"],
    [{ to: FAR, count: 1.5 }, "count is"],
    [{ to: FAR, count: 0 }, "count is"],
    [{}, "to is"],
    [{ to: FAR, size: 9 }, "there is no parameter"],
  ])("refuses %j", async (query, what) => {
    const { ping } = open();
    await expect(ping(query as never, () => undefined, {})).rejects.toThrow(what);
  });
});

describe("traceroute", () => {
  it("tells each router, one that says nothing too, and ends at the host", async () => {
    const { icmp, traceroute } = open();
    icmp.setWay(FAR, ROUTERS);
    const events = await heard<TracerouteEvent, { to: string }>(traceroute, { to: FAR });
    expect(events.map((event) => (event.kind === "hop" ? `${event.hop} ${event.from}` : event.kind))).toEqual([
      "began",
      "1 10.1.0.254",
      "2 null",
      "3 198.51.100.1",
      `4 ${FAR}`,
      "ended",
    ]);
    expect(events.at(-1)).toEqual({ kind: "ended", reached: true });
  });

  it("ends where this box has no way", async () => {
    const { traceroute } = open();
    expect((await heard<TracerouteEvent, { to: string }>(traceroute, { to: "203.0.113.1" })).slice(1)).toEqual([
      { kind: "hop", hop: 1, from: null, rttMicros: null, reason: "no-route" },
      { kind: "ended", reached: false },
    ]);
  });
});

describe("whom the box may ask", () => {
  it.each(["127.0.0.1", "::1", "169.254.169.254", "10.1.0.2", "10.1.0.3", "10.1.0.255"])("is not %s", async (to) => {
    const { ping } = open();
    await expect(ping({ to }, () => undefined, {})).rejects.toThrow(`${to} cannot be asked`);
  });

  it("is not behind a name what it is not by its address", async () => {
    const { ping } = open(async () => [{ address: "127.0.0.1" }, { address: FAR }]);
    await expect(ping({ to: "evil.example.test" }, () => undefined, {})).rejects.toMatchObject({
      refusal: { reason: "notForHosts", parameters: { to: "evil.example.test", address: "127.0.0.1" } },
    });
  });

  it("is the first address of a name, looked up once", async () => {
    const lookup = vi.fn<Lookup>(async () => [{ address: FAR }]);
    const { ping } = open(lookup);
    expect(
      (await heard<PingEvent, { to: string; count: number }>(ping, { to: "www.example.test", count: 1 }))[0],
    ).toEqual({
      kind: "began",
      address: FAR,
    });
    expect(lookup.mock.calls).toEqual([["www.example.test"]]);
  });

  it.each(["", "-rf", "a b", "fe80::1%eth0", "x;reboot", "x\n", "a".repeat(254), "..", "$(id)"])(
    "is no name like %j, which is never looked up",
    async (to) => {
      const lookup = vi.fn<Lookup>(async () => [{ address: FAR }]);
      const { ping } = open(lookup);
      await expect(ping({ to }, () => undefined, {})).rejects.toMatchObject({ refusal: { reason: "badTarget" } });
      expect(lookup).not.toHaveBeenCalled();
    },
  );

  it("is nobody where a name has no address", async () => {
    const { ping } = open(async () => Promise.reject(new Error("ENOTFOUND")));
    await expect(ping({ to: "nobody.test" }, () => undefined, {})).rejects.toMatchObject({
      refusal: { reason: "nameUnknown" },
    });
  });
});

describe("at a time", () => {
  it("each asks one, eight in all, and whoever ends makes room", async () => {
    const { ping } = open();
    const ends = new Map<number, () => void>();
    for (let asker = 0; asker < 8; asker++) {
      ends.set(asker, await ping({ to: "192.0.2.9", count: 100 }, () => undefined, asker));
    }
    await expect(ping({ to: FAR }, () => undefined, 3)).rejects.toThrow("you let the box ask somebody already");
    await expect(ping({ to: FAR }, () => undefined, 9)).rejects.toMatchObject({ refusal: { exitCode: 6 } });
    ends.get(3)?.();
    await expect(ping({ to: FAR, count: 1 }, () => undefined, 9)).resolves.toBeTypeOf("function");
  });

  it("one name is looked up", async () => {
    const { promise, resolve } = Promise.withResolvers<readonly { address: string }[]>();
    const { ping } = open(() => promise);
    const first = ping({ to: "slow.test", count: 1 }, () => undefined, 1);
    await expect(ping({ to: "other.test" }, () => undefined, 2)).rejects.toMatchObject({
      refusal: { reason: "lookupBusy" },
    });
    resolve([{ address: FAR }]);
    await expect(first).resolves.toBeTypeOf("function");
    await expect(ping({ to: "other.test", count: 1 }, () => undefined, 2)).resolves.toBeTypeOf("function");
  });

  it("nobody is left waiting who was refused", async () => {
    const { ping } = open();
    await expect(ping({ to: "127.0.0.1" }, () => undefined, 1)).rejects.toThrow("cannot be asked");
    await expect(ping({ to: FAR, count: 1 }, () => undefined, 1)).resolves.toBeTypeOf("function");
  });
});
