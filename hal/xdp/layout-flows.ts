/** The bytes of what the balancer remembers and tells of flows. Pure; twin of structs.h. */
import type { IpAddress } from "../units/address.ts";
import type { ServiceProtocol } from "../units/balancer.ts";
import {
  decodeAddress,
  decodeProtocol,
  encodeAddress,
  EVENT_ENDED,
  MAPS,
  protocolNumber,
  viewOf as view,
  numberAt,
  portAt,
  putNumber,
  putPort,
} from "./layout.ts";

/** struct flow_key: whose flow it is. */
export interface FlowKey {
  readonly client: IpAddress;
  readonly clientPort: number;
  readonly vip: IpAddress;
  readonly vipPort: number;
  readonly protocol: ServiceProtocol;
}

/** struct flow_key with its struct flow. */
export interface Flow extends FlowKey {
  /** The backend's number, and its address and port when it was chosen. */
  readonly backend: number;
  readonly address: IpAddress;
  readonly port: number;
  /** `one-arm`: the VIP's port towards the backend; else 0. */
  readonly vipSourcePort: number;
  /** Half-open: the acknowledgement number that completes the handshake. UDP: CLOCK_BOOTTIME's second when it began. */
  readonly expectedAck: number;
  /** FLOW_*. */
  readonly flags: number;
  /** Nanoseconds on CLOCK_BOOTTIME, a second coarse. */
  readonly seenNanos: bigint;
}

export function encodeFlowKey(key: FlowKey): Uint8Array {
  const bytes = new Uint8Array(MAPS.established.keyBytes);
  bytes.set(encodeAddress(key.client));
  bytes.set(encodeAddress(key.vip), 16);
  putPort(bytes, 32, key.clientPort);
  putPort(bytes, 34, key.vipPort);
  bytes[36] = protocolNumber(key.protocol);
  return bytes;
}

export function decodeFlowKey(bytes: Uint8Array): FlowKey {
  return {
    client: decodeAddress(bytes),
    vip: decodeAddress(bytes.subarray(16)),
    clientPort: portAt(bytes, 32),
    vipPort: portAt(bytes, 34),
    protocol: decodeProtocol(bytes[36]),
  };
}

export function encodeFlow(flow: Flow): Uint8Array {
  const bytes = new Uint8Array(MAPS.established.valueBytes);
  bytes.set(encodeAddress(flow.address));
  putNumber(bytes, 16, flow.backend);
  putPort(bytes, 20, flow.port);
  putPort(bytes, 22, flow.vipSourcePort);
  putNumber(bytes, 24, flow.expectedAck);
  bytes[28] = flow.flags;
  view(bytes).setBigUint64(32, flow.seenNanos, true);
  return bytes;
}

export function decodeFlow(key: Uint8Array, value: Uint8Array): Flow {
  return {
    ...decodeFlowKey(key),
    address: decodeAddress(value),
    backend: numberAt(value, 16),
    port: portAt(value, 20),
    vipSourcePort: portAt(value, 22),
    expectedAck: numberAt(value, 24),
    flags: value[28] ?? 0,
    seenNanos: view(value).getBigUint64(32, true),
  };
}

/** struct return_key with its struct return_flow: how a backend's packet to the VIP finds its client in `one-arm`. */
export interface ReturnFlow extends FlowKey {
  /** The backend's. */
  readonly address: IpAddress;
  readonly port: number;
  readonly vipSourcePort: number;
  /** The backend's number. */
  readonly backend: number;
  /** The service's index. */
  readonly service: number;
}

export function encodeReturnKey(
  flow: Pick<ReturnFlow, "address" | "port" | "vip" | "vipSourcePort" | "protocol">,
): Uint8Array {
  const bytes = new Uint8Array(MAPS.established.keyBytes);
  bytes.set(encodeAddress(flow.address));
  bytes.set(encodeAddress(flow.vip), 16);
  putPort(bytes, 32, flow.port);
  putPort(bytes, 34, flow.vipSourcePort);
  bytes[36] = protocolNumber(flow.protocol);
  return bytes;
}

export function encodeReturnFlow(flow: Omit<ReturnFlow, "address" | "port" | "vip" | "vipSourcePort">): Uint8Array {
  const bytes = new Uint8Array(MAPS.returns.valueBytes);
  bytes.set(encodeAddress(flow.client));
  putPort(bytes, 16, flow.clientPort);
  putPort(bytes, 18, flow.vipPort);
  putNumber(bytes, 20, flow.backend);
  putNumber(bytes, 24, flow.service);
  return bytes;
}

export function decodeReturn(key: Uint8Array, value: Uint8Array): ReturnFlow {
  return {
    address: decodeAddress(key),
    vip: decodeAddress(key.subarray(16)),
    port: portAt(key, 32),
    vipSourcePort: portAt(key, 34),
    protocol: decodeProtocol(key[36]),
    client: decodeAddress(value),
    clientPort: portAt(value, 16),
    vipPort: portAt(value, 18),
    backend: numberAt(value, 20),
    service: numberAt(value, 24),
  };
}

/** struct flow_event. */
export interface FlowEvent {
  readonly kind: "established" | "ended";
  readonly flow: Flow;
  /** The service's index. */
  readonly service: number;
}

const FLOW_KEY = MAPS.established.keyBytes;
const FLOW = MAPS.established.valueBytes;
/** struct refusal. */
export const REFUSAL_BYTES = 8;

export const FLOW_EVENT_BYTES = FLOW_KEY + FLOW + 8;

export function decodeFlowEvent(bytes: Uint8Array): FlowEvent {
  const flow = decodeFlow(bytes.subarray(0, FLOW_KEY), bytes.subarray(FLOW_KEY, FLOW_KEY + FLOW));
  const kind = numberAt(bytes, FLOW_KEY + FLOW + 4) === EVENT_ENDED ? "ended" : "established";
  return { kind, flow, service: numberAt(bytes, FLOW_KEY + FLOW) };
}
