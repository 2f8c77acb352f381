import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import type { FlowTable } from "@futago/hal/xdp/inspect.ts";
import { FLOW_BACKEND_FIN, FLOW_CLIENT_FIN, FLOW_RESET, FLOW_TOLD } from "@futago/hal/xdp/layout.ts";
import type { Flow } from "@futago/hal/xdp/layout-flows.ts";
import { describe, expect, it } from "vitest";
import type { Resolved } from "../../../config/resolved.ts";
import { backendNamed, serviceNamed } from "../control/named.ts";
import { type FlowListing, listFlows } from "./flow-list.ts";

const address = (text: string) => parseIpAddress(text) as IpAddress;
const vip = address("10.1.0.1");

const config = {
  services: [
    { name: "www", addresses: [vip], port: 80, protocol: "tcp", pool: "web", mode: "nat", idleTimeoutSeconds: 100 },
    { name: "dns", addresses: [vip], port: 53, protocol: "udp", pool: "dns", mode: "direct", idleTimeoutSeconds: 30 },
  ],
  pools: [
    { name: "web", backends: [{ name: "s1", address: address("10.2.0.11"), port: 8080 }] },
    { name: "dns", backends: [{ name: "d1", address: address("10.2.0.53"), port: 53 }] },
  ],
} as unknown as Resolved;

const SECOND = 1_000_000_000n;
const NOW = 1_000n * SECOND;

function flow(clientPort: number, ago: number, more: Partial<Flow> = {}): Flow {
  return {
    client: address("198.51.100.7"),
    clientPort,
    vip,
    vipPort: 80,
    protocol: "tcp",
    backend: 0,
    address: address("10.2.0.11"),
    port: 8080,
    vipSourcePort: 0,
    expectedAck: 0,
    flags: 0,
    seenNanos: NOW - BigInt(ago) * SECOND,
    ...more,
  };
}

const listing: FlowListing = {
  config,
  serviceAt: () => undefined,
  nowNanos: NOW,
  service: undefined,
  client: undefined,
  backend: undefined,
  limit: 50,
};

function list(tables: Partial<Record<FlowTable, readonly Flow[]>>, more: Partial<FlowListing> = {}) {
  const slices = Object.entries(tables) as [FlowTable, readonly Flow[]][];
  return listFlows({ flows: () => slices }, { ...listing, ...more });
}

describe("the list of flows", () => {
  it("is newest first, over all tables, and counts those that are not shown", async () => {
    const many = Array.from({ length: 400 }, (_, i) => flow(10_000 + i, 99 - (i % 90)));
    const shown = await list({ established: many, "half-open": [flow(1, 0)] }, { limit: 3 });
    expect(shown).toMatchObject({ total: 401, open: 400 });
    expect(shown.flows).toHaveLength(3);
    expect(shown.flows[0]).toMatchObject({ state: "half-open", clientPort: 1, idleMillis: 0 });
    expect(shown.flows.map((one) => one.idleMillis)).toEqual([0, 10_000, 10_000]);
  });

  it("names service, mode and backend, and has a blank where the configuration has none any more", async () => {
    const gone = flow(2, 1, { vipPort: 81, address: address("10.2.0.99") });
    const { flows } = await list({ established: [flow(1, 0, { vipSourcePort: 1_234, flags: FLOW_TOLD }), gone] });
    expect(flows[0]).toMatchObject({
      service: "www",
      mode: "one-arm",
      backend: "web/s1",
      sourcePort: 1234,
      remarks: ["told by the peer"],
    });
    expect(flows[1]).toMatchObject({ service: null, mode: null, backend: null, backendAddress: "10.2.0.99" });
  });

  it("is of one service, one client or one backend when asked so", async () => {
    const dns = flow(3, 0, { vipPort: 53, protocol: "udp", address: address("10.2.0.53"), port: 53 });
    const other = flow(4, 0, { client: address("198.51.100.8") });
    const tables = { established: [flow(1, 0), other], udp: [dns] };
    const ports = async (more: Partial<FlowListing>) =>
      (await list(tables, more)).flows.map((one) => one.clientPort).sort((a, b) => a - b);
    expect(await ports({ service: serviceNamed(config, "dns") })).toEqual([3]);
    expect(await ports({ client: address("198.51.100.8") })).toEqual([4]);
    expect(await ports({ backend: backendNamed(config, "s1") })).toEqual([1, 4]);
    expect(await ports({ backend: backendNamed(config, "s1"), client: address("2001:db8::7") })).toEqual([]);
  });

  it("counts as open what has not ended and was not silent for too long", async () => {
    const ended = FLOW_CLIENT_FIN | FLOW_BACKEND_FIN;
    const established = [
      flow(1, 99),
      flow(2, 101),
      flow(3, 0, { flags: FLOW_CLIENT_FIN }),
      flow(4, 0, { flags: ended }),
      flow(5, 0, { flags: FLOW_RESET }),
    ];
    expect(await list({ established })).toMatchObject({ total: 5, open: 2 });
  });

  it("counts a flow of direct as ended when its client has, since the backend's end is not seen", async () => {
    const entry = { kind: "service", address: vip, port: 80, protocol: "tcp", mode: "direct" };
    const serviceAt = () => ({ entry, entries: [entry], ordinals: [] }) as never;
    const established = [flow(3, 0, { flags: FLOW_CLIENT_FIN })];
    expect(await list({ established }, { serviceAt })).toMatchObject({ total: 1, open: 0 });
  });
});
