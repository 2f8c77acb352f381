/** The configuration of two boxes before three web servers. */
import { DEVICES, GATEWAY, LAN_VIP, PORTS, SERVER_ADDRESSES, type BackendName, VIP } from "./topology.ts";

export type Profile = "default" | "fast" | "calm";

export interface DocumentChoices {
  readonly profile: Profile;
  readonly preempt: boolean;
}

export const CHECK_INTERVAL_MILLIS = 1_000;
export const CHECK_FALL = 2;
/** iperf3's own port: one server, because its control and data connections must meet. */
export const STREAM_PORT = 5_201;

export const webCheck = {
  type: "http",
  path: "/",
  expectStatus: "200-399",
  intervalMs: CHECK_INTERVAL_MILLIS,
  timeoutMs: 500,
  rise: 2,
  fall: CHECK_FALL,
};

export type LabDocument = ReturnType<typeof labDocument>;

export function labDocument(profile: Profile = "default", weightOfSecond = 2, preempt = false) {
  return {
    system: { hostname: { a: "edge-a", b: "edge-b" }, timezone: "Asia/Tokyo" },
    interfaces: [
      { name: "wan", device: DEVICES.wan, addresses: { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] } },
      { name: "lan", device: DEVICES.lan, addresses: { a: ["10.2.0.2/24"], b: ["10.2.0.3/24"] } },
      { name: "sync", device: DEVICES.sync, addresses: { a: ["10.3.0.1/30"], b: ["10.3.0.2/30"] } },
    ],
    routes: [{ to: "default", via: GATEWAY }],
    pair: {
      standby: "hot",
      partition: "availability",
      witnesses: [GATEWAY],
      heartbeat: { over: PORTS.toReversed(), profile },
    },
    failoverGroups: [
      {
        name: "edge",
        preferred: "a",
        preempt,
        virtualRouters: [
          { interface: "wan", vrid: 10, name: "front", addresses: [`${VIP}/24`] },
          { interface: "lan", vrid: 11, addresses: [`${LAN_VIP}/24`] },
        ],
      },
    ],
    pools: [
      {
        name: "web",
        backends: [backend("s1"), { ...backend("s2"), weight: weightOfSecond }, { ...backend("s3"), backup: true }],
        check: webCheck,
      },
      {
        name: "stream",
        backends: [{ name: "s1", address: SERVER_ADDRESSES.s1, port: STREAM_PORT }],
        // A TCP check would look to iperf3 like a client that says nothing.
        check: { type: "icmp" },
      },
    ],
    services: [
      { name: "www", address: "front", protocol: "tcp", port: 80, pool: "web", mode: "nat" },
      { name: "stream", address: "front", protocol: "tcp", port: STREAM_PORT, pool: "stream", mode: "nat" },
    ],
  };
}

function backend(name: BackendName): { name: string; address: string; port: number } {
  return { name, address: SERVER_ADDRESSES[name], port: 80 };
}
