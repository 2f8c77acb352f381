/** Ports whose drivers take no native XDP: the balancer runs in generic mode there by itself, and the box says so. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boxDocument, FallbackRig, pool, STACKS } from "./fallback-rig.ts";

const PORTS = {
  "a veth with jumbo frames": {
    device: "eth0",
    reason: /^eth0: .*MTU is too large/,
    prepare: async (rig: FallbackRig) => {
      await rig.host.ip("link set eth0 mtu 9000");
      await rig.client.ip("link set eth0 mtu 9000");
    },
  },
  "a bridge": {
    device: "br0",
    reason: /^br0: .*not support/i,
    prepare: (rig: FallbackRig) => rig.host.bridge("br0", ["eth0"]),
  },
} as const;
const CELLS = (["ipv4", "ipv6"] as const).flatMap((family) =>
  (["tcp", "udp"] as const).flatMap((protocol) =>
    (["nat", "one-arm"] as const).map((mode, i) => ({ family, protocol, mode, port: 80 + i })),
  ),
);
const services = CELLS.map(({ family, mode, protocol, port }) => ({
  name: `${family}-${mode}-${protocol}`,
  address: STACKS[family].vip,
  protocol,
  port,
  mode,
  pool: family,
}));

describe.each(Object.entries(PORTS))("a box whose clients come in by %s", (_, { device, reason, prepare }) => {
  let rig: FallbackRig;

  beforeAll(async () => {
    rig = await FallbackRig.build();
    await prepare(rig);
    await rig.start(boxDocument([pool("ipv4", STACKS.ipv4), pool("ipv6", STACKS.ipv6)], services, device));
  });
  afterAll(() => rig.destroy());

  it("says that it is generic there, and why, and raises no alarm", async () => {
    const { attach, attachReason } = await rig.service("ipv4-nat-tcp");
    expect(attach).toBe("generic");
    expect(attachReason).toMatch(reason);
    expect(await rig.host.ip(`link show dev ${device}`)).toContain("xdpgeneric");
    expect((await rig.box.futago("show", "services")).stdout).toContain(`XDP generic (${device}: `);
    expect((await rig.box.status()).alarms.filter(({ kind }) => kind.startsWith("balancer"))).toEqual([]);
    expect(await rig.rules()).toBe("");
  });

  it.each(CELLS)("serves $family, $protocol, $mode by both backends, all checksums right", async (cell) => {
    expect(await rig.exchange(cell)).toEqual({
      small: 24,
      large: 2,
      errors: [],
      servers: ["one", "two"],
      wrongSums: 0,
    });
    expect((await rig.service(`${cell.family}-${cell.mode}-${cell.protocol}`)).traffic.flows).toBeGreaterThan(24);
  });
});
