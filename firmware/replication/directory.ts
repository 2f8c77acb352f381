/**
 * What this box knows of its own services, to judge what the peer tells of flows: numbers differ between the boxes, so
 * a flow is matched by the service's endpoint and the backend's address and port. What matches nothing is refused.
 */
import {
  ADDRESS_BYTES,
  BACKEND_AT,
  BACKEND_PORT_AT,
  CLIENT_AT,
  CLIENT_PORT_AT,
  PROTOCOL_AT,
  SOURCE_PORT_AT,
  STATE_AT,
  viewOf,
  VIP_AT,
  VIP_PORT_AT,
} from "@futago/hal/units/flow-record.ts";
import type { ServiceMode, ServiceProtocol } from "@futago/hal/units/balancer.ts";
import { sameAddress } from "./address-set.ts";

/** Addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d. */
export interface DirectoryService {
  readonly address: Uint8Array;
  readonly port: number;
  readonly protocol: ServiceProtocol;
  readonly index: number;
  readonly mode: ServiceMode;
  readonly backends: readonly { readonly address: Uint8Array; readonly port: number; readonly number: number }[];
}

/** Why one record of the peer was not written; the counter's name, too. */
export type FlowRefusal =
  | "badProtocol"
  | "badAddress"
  | "badPort"
  | "badState"
  | "unknownService"
  | "unknownBackend"
  | "badSourcePort";

export interface FlowPlace {
  readonly service: number;
  readonly backend: number;
}

/** As IP numbers them. */
export const PROTOCOLS: Readonly<Record<ServiceProtocol, number>> = { tcp: 6, udp: 17 };
const SOURCE_PORT_MIN = 1_024;
const SOURCE_PORT_MAX = 31_999;
/** TCP's FLOW_CLIENT_FIN and FLOW_BACKEND_FIN of hal/xdp/consts.h: the rest is each box's own affair. */
export const TELLABLE_FLAGS = 6;

interface Known {
  readonly view: DataView;
  readonly port: number;
  readonly protocol: number;
  readonly index: number;
  readonly mode: ServiceMode;
  readonly backends: () => ReadonlyMap<number, readonly Backend[]>;
}

interface Backend {
  readonly view: DataView;
  readonly port: number;
  readonly place: FlowPlace;
}

export class Directory {
  readonly #services: ReadonlyMap<number, readonly Known[]>;

  constructor(services: readonly DirectoryService[]) {
    const known = services.map((service): Known => {
      const { address, port, index, mode } = service;
      const protocol = PROTOCOLS[service.protocol];
      // Of a thousand services few have flows at a time.
      let backends: ReadonlyMap<number, readonly Backend[]> | undefined;
      const lazily = () => (backends ??= backendsByEndpoint(service));
      return { view: viewOf(address), port, protocol, index, mode, backends: lazily };
    });
    this.#services = byEndpoint(known);
  }

  /** The record at `at`, which has all its bytes, judged. */
  judge(view: DataView, at: number): FlowPlace | FlowRefusal {
    const refusal = shapeRefusal(view, at);
    if (refusal !== undefined) return refusal;
    const service = this.#serviceOf(view, at);
    if (service === undefined) return "unknownService";
    const sourcePort = view.getUint16(at + SOURCE_PORT_AT);
    if (!this.#maySpeakFrom(view, at, service, sourcePort)) return "badSourcePort";
    const port = view.getUint16(at + BACKEND_PORT_AT);
    const backends = service.backends().get(hashOf(view, at + BACKEND_AT, port));
    const backend = backends?.find((one) => one.port === port && sameAddress(one.view, 0, view, at + BACKEND_AT));
    return backend?.place ?? "unknownBackend";
  }

  /** The index of the service that the flow key at `at` belongs to. */
  serviceOf(view: DataView, at: number): number | undefined {
    return this.#serviceOf(view, at)?.index;
  }

  /** The index of the service at this endpoint. */
  serviceAt(view: DataView, addressAt: number, port: number, protocol: number): number | undefined {
    return this.#find(view, addressAt, port, protocol)?.index;
  }

  #serviceOf(view: DataView, at: number): Known | undefined {
    return this.#find(view, at + VIP_AT, view.getUint16(at + VIP_PORT_AT), view.getUint8(at + PROTOCOL_AT));
  }

  #find(view: DataView, addressAt: number, port: number, protocol: number): Known | undefined {
    const found = this.#services.get(hashOf(view, addressAt, port));
    return found?.find(
      (one) => one.port === port && one.protocol === protocol && sameAddress(one.view, 0, view, addressAt),
    );
  }

  /**
   * In `one-arm`, and in `nat` for a client beside its backend, a port of the VIP stands for the client towards the
   * backend, and no service may sit on it.
   */
  #maySpeakFrom(view: DataView, at: number, service: Known, port: number): boolean {
    if (port === 0) return service.mode !== "one-arm";
    if (service.mode === "direct" || port < SOURCE_PORT_MIN || port > SOURCE_PORT_MAX) return false;
    return this.#find(view, at + VIP_AT, port, view.getUint8(at + PROTOCOL_AT)) === undefined;
  }
}

function backendsByEndpoint({ index, backends }: DirectoryService): ReadonlyMap<number, readonly Backend[]> {
  const places = backends.map(({ address, port, number }) => ({
    view: viewOf(address),
    port,
    place: { service: index, backend: number },
  }));
  return byEndpoint(places);
}

function shapeRefusal(view: DataView, at: number): FlowRefusal | undefined {
  const protocol = view.getUint32(at + PROTOCOL_AT) >>> 24;
  if ((view.getUint32(at + PROTOCOL_AT) & 0xffffff) !== 0) return "badProtocol";
  if (protocol !== PROTOCOLS.tcp && protocol !== PROTOCOLS.udp) return "badProtocol";
  const client = kindOf(view, at + CLIENT_AT);
  if (client === "none" || client !== kindOf(view, at + VIP_AT) || client !== kindOf(view, at + BACKEND_AT))
    return "badAddress";
  if (sameAddress(view, at + CLIENT_AT, view, at + VIP_AT)) return "badAddress";
  if (view.getUint16(at + CLIENT_PORT_AT) === 0) return "badPort";
  const tellable = protocol === PROTOCOLS.tcp ? TELLABLE_FLAGS : 0;
  return (view.getUint8(at + STATE_AT) & ~tellable) === 0 ? undefined : "badState";
}

/** What no client is: unspecified, loopback, multicast, broadcast. */
function kindOf(view: DataView, at: number): "ipv4" | "ipv6" | "none" {
  const first = view.getUint32(at);
  const last = view.getUint32(at + 12);
  if (first === 0 && view.getUint32(at + 4) === 0) {
    if (view.getUint32(at + 8) !== 0xffff) return "none";
    const net = last >>> 24;
    return net === 0 || net === 127 || net >= 224 ? "none" : "ipv4";
  }
  return first >>> 24 === 0xff ? "none" : "ipv6";
}

function byEndpoint<T extends { readonly view: DataView; readonly port: number }>(
  all: readonly T[],
): ReadonlyMap<number, readonly T[]> {
  const map = new Map<number, T[]>();
  for (const one of all) {
    const hash = hashOf(one.view, 0, one.port);
    const same = map.get(hash);
    if (same === undefined) map.set(hash, [one]);
    else same.push(one);
  }
  return map;
}

function hashOf(view: DataView, at: number, port: number): number {
  let hash = port;
  for (let i = 0; i < ADDRESS_BYTES; i += 4) hash = (Math.imul(hash, 0x9e3779b1) ^ view.getUint32(at + i)) >>> 0;
  return hash;
}
