/** What a stranger on the boxes' switches can do with Ethernet frames: record heartbeats, change them, send its own. */
import { decodeEthernet, encodeEthernet, ETHERTYPE_IPV6, multicastMac } from "@futago/firmware/announce/ethernet.ts";
import { decodeIp, encodeIp } from "@futago/firmware/announce/ip.ts";
import { calls } from "@futago/hal/packet/calls.ts";
import { openFrames } from "@futago/hal/packet/frames.ts";
import type { Ifindex, Ipv6, Mac } from "@futago/hal/units/address.ts";
import { internetChecksum, pseudoHeader } from "@futago/hal/units/checksum.ts";
import { type Box, DEVICES, type Port } from "../lab/topology.ts";
import type { Namespace } from "./namespaces.ts";
import { BEAT_PORT, type Pair, switchPort } from "./pair-fixture.ts";

const UDP = 17;
const UDP_HEADER_BYTES = 8;
/** Classic BPF: take every frame whole. @see bpf(4) of the BSDs: BPF_RET | BPF_K */
const EVERYTHING = new Uint8Array([0x06, 0, 0, 0, 0, 8, 0, 0]);
export const BEAT_GROUP = "ff12::4654" as Ipv6;

/** A heartbeat as it was on the wire. */
export interface SeenBeat {
  readonly source: Ipv6;
  readonly destination: Ipv6;
  readonly payload: Uint8Array;
}

/** Everything of the heartbeat's port that a box sends into one switch, until closed. */
export async function recordBeats(pair: Pair, box: Box, port: Port): Promise<{ seen: SeenBeat[]; close(): void }> {
  const seen: SeenBeat[] = [];
  const ifindex = await pair.switches.ifindex(switchPort(box, port));
  const handle = pair.switches.inside(() =>
    calls.packetOpen(ifindex, EVERYTHING, true, new Uint8Array(), (bytes) => {
      const beat = bytes === undefined ? undefined : beatIn(bytes);
      if (beat !== undefined) seen.push(beat);
    }),
  );
  return { seen, close: () => calls.socketClose(handle) };
}

function beatIn(bytes: Uint8Array): SeenBeat | undefined {
  const frame = decodeEthernet(bytes);
  const packet = frame === undefined ? undefined : decodeIp(frame.etherType, frame.payload);
  if (packet?.ok !== true || packet.value.protocol !== UDP) return undefined;
  const { source, destination, payload } = packet.value;
  if (((payload[2]! << 8) | payload[3]!) !== BEAT_PORT) return undefined;
  const whole = payload.slice(UDP_HEADER_BYTES);
  return { source: source as Ipv6, destination: destination as Ipv6, payload: whole };
}

export interface Datagram {
  readonly source: Ipv6;
  readonly payload: Uint8Array;
  /** Left out, the heartbeat's multicast group. */
  readonly to?: { readonly mac: Mac; readonly address: Ipv6 };
  readonly hopLimit?: number;
}

/** A port of the stranger in one switch. */
export class Injector {
  readonly mac: Mac;
  readonly #send: (frame: Uint8Array) => void;
  readonly close: () => void;

  private constructor(mac: Mac, send: (frame: Uint8Array) => void, close: () => void) {
    this.mac = mac;
    this.#send = send;
    this.close = close;
  }

  static async open(pair: Pair, port: Port): Promise<Injector> {
    const ifindex = (await pair.stranger.ifindex(DEVICES[port])) as Ifindex;
    const socket = pair.stranger.inside(() => openFrames().open({ ifindex, receive: "none" }));
    const mac = (await pair.mac(pair.stranger, DEVICES[port])) as Mac;
    return new Injector(
      mac,
      (frame) => socket.send(frame),
      () => socket.close(),
    );
  }

  frame(bytes: Uint8Array): void {
    this.#send(bytes);
  }

  /** To the heartbeat's port, with a right checksum. */
  datagram(datagram: Datagram): void {
    this.#send(datagramFrame(this.mac, datagram));
  }
}

export function datagramFrame(from: Mac, { source, payload, to, hopLimit = 255 }: Datagram): Uint8Array {
  const destination = to?.address ?? BEAT_GROUP;
  const message = udp(source, destination, payload);
  return encodeEthernet({
    destination: to?.mac ?? multicastMac(destination),
    source: from,
    etherType: ETHERTYPE_IPV6,
    payload: encodeIp({ source, destination, protocol: UDP, hopLimit, payload: message }),
  });
}

function udp(source: Ipv6, destination: Ipv6, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(UDP_HEADER_BYTES + payload.length);
  const port = [BEAT_PORT >> 8, BEAT_PORT & 0xff];
  message.set([...port, ...port, message.length >> 8, message.length & 0xff]);
  message.set(payload, UDP_HEADER_BYTES);
  const sum = internetChecksum([pseudoHeader(source, destination, UDP, message.length), message]);
  // An all-zero checksum would mean that there is none, which IPv6 forbids (RFC 8200 §8.1).
  message.set(sum === 0 ? [0xff, 0xff] : [sum >> 8, sum & 0xff], 6);
  return message;
}

/** A host's own link-local address on a device. */
export async function linkLocal(host: Namespace, device: string): Promise<Ipv6> {
  const [link] = JSON.parse(await host.ip(`-j -6 addr show dev ${device} scope link`)) as {
    addr_info: { local: string }[];
  }[];
  return link!.addr_info.at(-1)!.local as Ipv6;
}
