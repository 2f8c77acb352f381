/** Others on the pair's networks who use what is the pair's: its VRIDs, its addresses, the port between the cores. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodeGratuitousArp } from "@futago/firmware/announce/arp.ts";
import { encodeVrrpFrame } from "@futago/firmware/announce/vrrp-frame.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { encodeAdvertisement } from "@futago/firmware/standby/vrrp/packet.ts";
import { type Ipv4, type Mac, macBytes } from "@futago/hal/units/address.ts";
import { seconds } from "@futago/hal/units/time.ts";
import { Prober } from "../lab/prober.ts";
import { BOXES } from "../lab/topology.ts";
import { BEAT_PORT, LAN_VIP, Pair, VIP } from "./pair-fixture.ts";
import { Injector, linkLocal, recordBeats } from "./pair-frames.ts";

let pair: Pair;
let wan: Injector;
let prober: Prober;

beforeAll(async () => {
  pair = await Pair.start();
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
  wan = await Injector.open(pair, "wan");
});
afterAll(async () => {
  await prober.stop();
  await pair.destroy();
});

describe("a router that is not of the pair", () => {
  /** As keepalived sends it: from the port's own Ethernet address. */
  function advertisement(vrid: number, priority: number): Uint8Array {
    const source = "10.1.0.66" as Ipv4;
    const packet = { vrid, priority, maxAdvertiseInterval: seconds(1), addresses: [VIP as Ipv4] };
    const frame = encodeVrrpFrame(vrid, source, encodeAdvertisement(packet, source, "rfc5798"));
    frame.set(macBytes(wan.mac), 6);
    return frame;
  }

  it("takes nothing by advertising the pair's VRID with priority 255, and is named by its MAC on both boxes", async () => {
    const before = await pair.moves();
    const { lost } = prober.tick;
    for (let i = 0; i < 5; i++) wan.frame(advertisement(10, 255));
    for (const box of BOXES) {
      const sentence = await pair.alarm(box, "vrid-conflict");
      expect(sentence).toContain(`10.1.0.66 (${wan.mac}) advertises VRID 10 on wan with priority 255`);
      expect(sentence).toContain("another VRID");
    }
    await pair.settled("a");
    expect(await pair.moves()).toEqual(before);
    expect(prober.tick.lost).toBe(lost);
  });

  it("is no concern of the pair on another VRID, nor are the boxes strangers to each other", async () => {
    wan.frame(advertisement(77, 255));
    // The active advertises once a second: two of its own have passed by then.
    const { tick } = prober;
    await vi.waitUntil(() => prober.tick.at > tick.at + 2_200_000, { timeout: 10_000 });
    for (const box of BOXES) {
      const { alarms } = await pair.status(box);
      expect(alarms.map(({ kind, sentence }) => `${kind} ${sentence}`)).toEqual([
        expect.stringMatching(/^vrid-conflict .*VRID 10 /),
      ]);
    }
  });
});

describe("a stranger at the port between the cores", () => {
  it("gets no further than the handshake, and the link goes on", async () => {
    const target = await linkLocal(pair.hosts.a, "eth0");
    // What a TLS client would not say; a client of TLS without the key; and one who says nothing.
    const script = `const net = require("node:net"), tls = require("node:tls"), at = { host: "${target}%eth0", port: ${BEAT_PORT} };
      const quiet = (socket) => socket.on("error", () => {});
      quiet(net.connect(at)).write("GET / HTTP/1.1\\r\\n\\r\\n");
      quiet(net.connect(at)).write(Buffer.alloc(70000, 0x16));
      quiet(tls.connect({ ...at, rejectUnauthorized: false }));
      quiet(tls.connect({ ...at, minVersion: "TLSv1.3", pskCallback: () => ({ psk: Buffer.alloc(32), identity: "b" }) }));
      setTimeout(() => process.exit(), 1000)`;
    const before = await pair.moves();
    await pair.stranger.run([process.execPath, "-e", script]);
    const status = await pair.until("a", "refusals", ({ counters }) => (counters["peerLinkWrongKey"] ?? 0) >= 3);
    expect(status.alarms.map(({ kind }) => kind)).not.toContain("revision-differs");
    await pair.settled("a");
    expect(await pair.moves()).toEqual(before);
  });
});

describe("heartbeats recorded before a restart", () => {
  it("prove nothing afterwards, to the box that restarted or to its peer", async () => {
    const port = async (box: "a" | "b") => ({
      mac: (await pair.mac(pair.hosts[box])) as Mac,
      address: await linkLocal(pair.hosts[box], "eth0"),
    });
    const recordings = { a: await recordBeats(pair, "a", "wan"), b: await recordBeats(pair, "b", "wan") };
    await vi.waitUntil(() => BOXES.every((box) => recordings[box].seen.length >= 10), { timeout: 10_000 });
    for (const box of BOXES) recordings[box].close();
    const spoken = (await pair.counters("b"))["accepted"] ?? 0;
    process.kill(pair.box("b").pid("sentinel"), "SIGKILL");
    // Both have begun anew: b counts from zero, and a believes it since.
    const accepted = ({ heartbeat }: BoxStatus) => heartbeat?.counters["accepted"] ?? 0;
    await pair.until("b", "a new start", (status) => status.peer?.alive === true && accepted(status) < spoken);
    const before = accepted(await pair.status("a"));
    await pair.until("a", "the new b", (status) => accepted(status) > before + 10);
    await pair.settled("a");
    const moves = await pair.moves();
    const start = { a: await pair.counters("a"), b: await pair.counters("b") };
    for (const { source, payload } of recordings.b.seen) wan.datagram({ source, payload, to: await port("a") });
    for (const { source, payload } of recordings.a.seen) wan.datagram({ source, payload, to: await port("b") });
    const risen = async (box: "a" | "b", name: string) =>
      ((await pair.counters(box))[name] ?? 0) - (start[box][name] ?? 0);
    await expect.poll(() => risen("a", "unproven"), { timeout: 5_000 }).toBe(recordings.b.seen.length);
    // And what a answers to them, in vain.
    await expect.poll(() => risen("b", "other-boot"), { timeout: 5_000 }).toBeGreaterThan(recordings.a.seen.length);
    await pair.settled("a");
    expect(await pair.moves()).toEqual(moves);
  });
});

describe("a host with an address of the pair", () => {
  it("is named by its MAC, on the box whose address it is", async () => {
    const own = { a: "10.1.0.2", b: "10.1.0.3" } as const;
    for (const box of BOXES) {
      wan.frame(encodeGratuitousArp("request", own[box] as Ipv4, wan.mac));
      const sentence = await pair.alarm(box, "address-conflict");
      expect(sentence).toContain(wan.mac);
      expect(sentence).toContain(own[box]);
    }
  });

  it("moves nothing by claiming a VIP, is named, and the neighbours are told again whose it is", async () => {
    const before = await pair.moves();
    const mac = await pair.mac(pair.hosts.a);
    expect(await pair.clientSendsTo(VIP)).toBe(mac);
    // A whole host that answers ARP for it, and says so first.
    await pair.stranger.ip(`addr add ${VIP}/24 dev eth0`);
    wan.frame(encodeGratuitousArp("request", VIP as Ipv4, wan.mac));
    await pair.until("a", "the VIP's conflict", ({ alarms }) =>
      alarms.some(({ kind, sentence }) => kind === "address-conflict" && sentence.includes(`holds ${VIP},`)),
    );
    expect(await pair.status("b")).toMatchObject({ role: "standby" });
    await expect.poll(() => pair.clientSendsTo(VIP), { timeout: 5_000 }).toBe(mac);
    await pair.stranger.ip(`addr del ${VIP}/24 dev eth0`);
    await pair.settled("a");
    expect(await pair.moves()).toEqual(before);
    expect((await pair.status("a")).groups[0]?.addresses).toEqual([`${VIP}/24`, `${LAN_VIP}/24`]);
  });

  it("does not confuse the pair by an unsolicited word about itself", async () => {
    const alarms = (await pair.status("a")).alarms.length;
    wan.frame(encodeGratuitousArp("reply", "10.1.0.66" as Ipv4, wan.mac));
    await pair.settled("a");
    expect((await pair.status("a")).alarms).toHaveLength(alarms);
  });
});
