/** Looks into the balancer's maps for one flow, one client, one group: for `trace`. Reads only. */
import type { BpfObject } from "../contract/bpf.ts";
import type { IpAddress } from "../units/address.ts";
import {
  decodeNumber,
  encodeAddress,
  encodeNumber,
  GROUP_ANSWER,
  GROUP_FORWARD,
  MAPS,
  viewOf as view,
} from "./layout.ts";
import { decodeFlow, encodeFlowKey, type Flow, type FlowKey } from "./layout-flows.ts";

export interface BalancerInspection {
  /** What the gate lets the VIP do at `nowNanos` (CLOCK_BOOTTIME); undefined: nothing, since its lease has lapsed. */
  lease(
    vip: IpAddress,
    nowNanos: bigint,
  ): { readonly answer: boolean; readonly forward: boolean; readonly leftNanos: bigint } | undefined;
  flow(key: FlowKey): { readonly table: FlowTable; readonly flow: Flow } | undefined;
  /** Every flow of every table, some at a time, so that the reader may rest in between. */
  flows(): Iterable<readonly [FlowTable, readonly Flow[]]>;
  /** Established flows of a backend, by its number. */
  openFlows(number: number): number;
  /** Open flows of a service, by its index, and of a client there; those of clients are counted where they have a limit. */
  openAt(service: number, client: IpAddress): { readonly all: number; readonly client: number };
  /** The new flows that a client may open at once; undefined when it opened none lately. */
  tokens(client: IpAddress, service: number, perSecond: number, nowNanos: bigint): number | undefined;
}

export type FlowTable = "established" | "half-open" | "udp";

/** In the order in which the balancer looks. */
const TABLES = [
  ["established", "established"],
  ["half_open", "half-open"],
  ["udp_flows", "udp"],
] as const;

export function inspectBalancer(object: BpfObject): BalancerInspection {
  const word = (map: string, number: number) => {
    const value = object.map(map).lookup(encodeNumber(number));
    return value === undefined ? 0n : view(value).getBigUint64(0, true);
  };
  return {
    lease: (vip, nowNanos) => {
      const index = object.map("futago_vips").lookup(encodeAddress(vip));
      const group =
        index === undefined ? undefined : object.map("futago_groups").lookup(encodeNumber(decodeNumber(index)));
      if (group === undefined) return undefined;
      const leftNanos = view(group).getBigUint64(0, true) - nowNanos;
      const bits = view(group).getUint32(8, true);
      if (leftNanos <= 0n) return undefined;
      return { answer: (bits & GROUP_ANSWER) !== 0, forward: (bits & GROUP_FORWARD) !== 0, leftNanos };
    },
    flow: (flowKey) => {
      const key = encodeFlowKey(flowKey);
      for (const [map, table] of TABLES) {
        const value = object.map(map).lookup(key);
        if (value !== undefined) return { table, flow: decodeFlow(key, value) };
      }
      return undefined;
    },
    flows: () => walk(object),
    openFlows: (number) => Number(word("backend_opened", number) - word("backend_closed", number)),
    openAt: (service, client) => {
      const all = object.map("service_open").lookup(encodeNumber(service));
      const own = object.map("client_open").lookup(encodeSourceKey(client, service));
      const count = (value: Uint8Array | undefined) =>
        value === undefined ? 0 : Math.max(0, Number(view(value).getBigInt64(0, true)));
      return { all: count(all), client: count(own) };
    },
    tokens: (client, service, perSecond, nowNanos) => {
      const source = object.map("sources").lookup(encodeSourceKey(client, service));
      return source === undefined ? undefined : tokensLeft(source, perSecond, nowNanos);
    },
  };
}

/** struct source_key. */
function encodeSourceKey(client: IpAddress, service: number): Uint8Array {
  const key = new Uint8Array(MAPS.sources.keyBytes);
  key.set(encodeAddress(client));
  view(key).setUint32(16, service, true);
  return key;
}

const SLICE = 2_048;

function* walk(object: BpfObject): Iterable<readonly [FlowTable, readonly Flow[]]> {
  for (const [name, table] of TABLES) {
    const map = object.map(name);
    for (let slice = map.slice(SLICE); ; slice = map.slice(SLICE, slice.next)) {
      const { keys, values, next } = slice;
      const flows = Array.from({ length: keys.length / map.keyBytes }, (_, i) =>
        decodeFlow(
          keys.subarray(i * map.keyBytes, (i + 1) * map.keyBytes),
          values.subarray(i * map.valueBytes, (i + 1) * map.valueBytes),
        ),
      );
      yield [table, flows];
      if (next === undefined) break;
    }
  }
}

/** struct source, as is_over_limit of admit.h would find it. */
function tokensLeft(source: Uint8Array, perSecond: number, nowNanos: bigint): number {
  const earnedNanos = nowNanos - view(source).getBigUint64(0, true);
  const earned = earnedNanos > 1_000_000_000n ? perSecond : Number((earnedNanos * BigInt(perSecond)) / 1_000_000_000n);
  return Math.min(perSecond, Number(view(source).getBigUint64(8, true)) + earned);
}
