/** Every mode in every family and protocol, and how a client and a backend speak through the box in each. */
import type { TestRun } from "@futago/hal/contract/bpf.ts";
import type { ServiceMode } from "@futago/hal/units/balancer.ts";
import type { BalancedBackend, BalancedService } from "@futago/firmware/balancer/service.ts";
import {
  addressOf,
  backend,
  BACKENDS,
  BACKENDS6,
  CLIENT,
  CLIENT6,
  FAR_CLIENT,
  FAR_CLIENT6,
  GROUP,
  service,
  type TestBox,
  UNKNOWN_BACKEND,
  UNKNOWN_BACKEND6,
  VIP,
  VIP6,
} from "./box.ts";
import { ACK, SYN } from "./packet.ts";
import { type Protocol, type ReadTransport, readTransport, type TransportFields, transportFrame } from "./transport.ts";

export interface Case {
  readonly mode: ServiceMode;
  readonly protocol: Protocol;
  readonly vip: string;
  readonly client: string;
  readonly farClient: string;
  readonly backends: readonly string[];
  /** Nobody has told the box its Ethernet address. */
  readonly unknown: string;
  readonly backendPort: number;
}

const FAMILIES = {
  IPv4: { vip: VIP, client: CLIENT, farClient: FAR_CLIENT, backends: BACKENDS, unknown: UNKNOWN_BACKEND },
  IPv6: { vip: VIP6, client: CLIENT6, farClient: FAR_CLIENT6, backends: BACKENDS6, unknown: UNKNOWN_BACKEND6 },
} as const;

export const PORT = 80;
export const CLIENT_PORT = 40_000;

export const CASES: readonly (readonly [string, Case])[] = (["nat", "one-arm", "direct"] as const).flatMap((mode) =>
  (["IPv4", "IPv6"] as const).flatMap((family) =>
    (["tcp", "udp"] as const).map((protocol) => {
      const backendPort = mode === "direct" ? PORT : 8080;
      return [`${mode}, ${family}, ${protocol}`, { mode, protocol, backendPort, ...FAMILIES[family] }] as const;
    }),
  ),
);

export const casesWith = (wanted: Partial<Case>) =>
  CASES.filter(([, one]) => Object.entries(wanted).every(([key, value]) => one[key as keyof Case] === value));

/** The service of the case with these backends, each an address with what is unusual about it. */
export function serviceOf(
  one: Case,
  backends: readonly (string | readonly [string, Partial<BalancedBackend>])[],
  more: Partial<BalancedService> = {},
): BalancedService {
  const { mode, protocol } = one;
  const all = backends.map((entry) =>
    typeof entry === "string" ? backend(entry, one.backendPort) : backend(entry[0], one.backendPort, entry[1]),
  );
  return service(PORT, all, { address: addressOf(one.vip), mode, protocol, ...more });
}

/** The lease holds, no flow is known, and the service has the case's three backends. */
export function startCase(box: TestBox, one: Case): void {
  box.groups.set(GROUP, 3);
  box.forget();
  box.serve([serviceOf(one, one.backends)]);
}

/** From the client to the VIP. */
export function send(box: TestBox, one: Case, fields: Partial<TransportFields> = {}): TestRun {
  return box.fromClient(
    transportFrame({
      protocol: one.protocol,
      source: one.client,
      destination: one.vip,
      sourcePort: CLIENT_PORT,
      destinationPort: PORT,
      flags: SYN,
      ...fields,
    }),
  );
}

/** The first packet of a flow. */
export const open = (box: TestBox, one: Case, fields: Partial<TransportFields> = {}): ReadTransport =>
  readTransport(send(box, one, { flags: SYN, ...fields }).output);

/** What a backend answers to the packet that it got. */
export function answer(box: TestBox, got: ReadTransport, fields: Partial<TransportFields> = {}): TestRun {
  return box.fromBackend(
    transportFrame({
      protocol: got.protocol === 6 ? "tcp" : "udp",
      source: got.destination,
      destination: got.source,
      sourcePort: got.destinationPort,
      destinationPort: got.sourcePort,
      flags: ACK,
      ...fields,
    }),
  );
}

/**
 * A flow that both ends take for established, and the first packet as its backend got it: SYN 1000, SYN-ACK 2000 (which
 * in `direct` goes by the box), ACK 2001; in UDP a datagram either way.
 */
export function establish(box: TestBox, one: Case, fields: Partial<TransportFields> = {}): ReadTransport {
  const got = open(box, one, fields);
  if (one.mode !== "direct") answer(box, got, { flags: SYN | ACK, sequence: 2000 });
  if (one.protocol === "tcp") send(box, one, { flags: ACK, sequence: 1001, acknowledgement: 2001, ...fields });
  return got;
}

/** The backend that a frame went to: by its Ethernet address in `direct`, else by its destination. */
export function reached(one: Case, { output }: TestRun): string {
  const read = readTransport(output);
  if (one.mode !== "direct") return read.destination;
  const last = Number(`0x${read.destinationMac.split(":").at(-1)}`);
  return (
    one.backends.find((address) => Number(`0x${address.split(":").at(-1)}`) === last) ??
    one.backends.find((address) => Number(address.split(".")[3]) === last) ??
    read.destinationMac
  );
}
