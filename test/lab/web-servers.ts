/** The classic pair of web servers: two hosts that run nginx themselves, and one address on their LAN. */
import type { DocumentChoices } from "./document.ts";
import { type Box, DEVICES, type Layout } from "./topology.ts";

export const WEB_SERVERS_VIPS: readonly [string, string] = ["10.2.0.1", "fd00:2::1"];
const GATEWAY = "10.2.0.254";

export const WEB_SERVERS_LAYOUT: Layout = {
  ports: ["lan", "sync"],
  client: { port: "lan", addresses: ["10.2.0.10/24", "fd00:2::10/64"], gateways: [] },
  gateway: { port: "lan", addresses: [`${GATEWAY}/24`, "fd00:2::fe/64"], gateways: [] },
  backends: {},
};

/** The hosts' own addresses on the LAN. */
const OWN: Readonly<Record<Box, readonly [ipv4: string, ipv6: string]>> = {
  a: ["10.2.0.2", "fd00:2::2"],
  b: ["10.2.0.3", "fd00:2::3"],
};

/** A host's own address of the same family as `vip`. */
export function ownAddress(box: Box, vip: string): string {
  const [ipv4, ipv6] = OWN[box];
  return vip.includes(":") ? ipv6 : ipv4;
}

/** The configuration that docs/two-web-servers.md explains. */
export function webServersDocument({ profile, preempt }: DocumentChoices): unknown {
  const [vip, vip6] = WEB_SERVERS_VIPS;
  const lan = (box: Box) => [`${OWN[box][0]}/24`, `${OWN[box][1]}/64`];
  return {
    interfaces: [
      { name: "lan", device: DEVICES.lan, addresses: { a: lan("a"), b: lan("b") } },
      { name: "sync", device: DEVICES.sync, addresses: { a: ["10.3.0.1/30"], b: ["10.3.0.2/30"] } },
    ],
    routes: [{ to: "default", via: GATEWAY }],
    pair: { witnesses: [GATEWAY], heartbeat: { over: ["sync", "lan"], profile } },
    failoverGroups: [
      {
        name: "web",
        preferred: "a",
        preempt,
        track: [{ check: { type: "http", port: 80, path: "/", intervalMs: 500 }, weight: -100 }],
        virtualRouters: [
          { interface: "lan", vrid: 20, addresses: [`${vip}/24`] },
          { interface: "lan", vrid: 20, addresses: [`${vip6}/64`] },
        ],
      },
    ],
  };
}
