/** Floods from made-up senders, as frames that a port of a namespace sends; every flood is of a given number of packets. */
import { openFrames } from "@futago/hal/packet/frames.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { Random } from "../sim/random.ts";
import { ACK, ethernet, ipv4, SYN, u16 } from "../xdp/packet.ts";
import { isIpv6, transportFrame, type TransportFields } from "../xdp/transport.ts";
import type { Namespace } from "./namespaces.ts";
import { pause } from "./pair-fixture.ts";

/** So many, then everybody else gets a turn: all hosts of a test share the machine's processors and their queues. */
const BURST = 60;
const BURST_MILLIS = 5;
const UDP = 17;
const MORE_FRAGMENTS = 0x2000;

/** What is flooded. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

export class FloodSource {
  readonly #send: (frame: Uint8Array) => void;
  readonly #destinationMac: string;
  readonly close: () => void;
  /** The same floods in each run. */
  readonly #random = new Random(20_261_129);

  private constructor(send: (frame: Uint8Array) => void, destinationMac: string, close: () => void) {
    this.#send = send;
    this.#destinationMac = destinationMac;
    this.close = close;
  }

  static async open(namespace: Namespace, device: string, destinationMac: string): Promise<FloodSource> {
    const ifindex = (await namespace.ifindex(device)) as Ifindex;
    const socket = namespace.inside(() => openFrames().open({ ifindex, receive: "none" }));
    return new FloodSource(
      (frame) => socket.send(frame),
      destinationMac,
      () => socket.close(),
    );
  }

  /** First segments of connections that nobody goes on with. */
  syns(count: number, target: Target): Promise<void> {
    return this.#flood(count, () => [transportFrame({ ...this.#client(target), flags: SYN })]);
  }

  /** Each goes on as if its sender had seen the answer: its own number fits, the server's is made up. */
  handshakes(count: number, target: Target): Promise<void> {
    return this.#flood(count, () => {
      const client = this.#client(target);
      const sequence = this.#random.whole(0, 0x7fff_ffff);
      const acknowledgement = this.#random.whole(0, 0x7fff_ffff);
      return [
        transportFrame({ ...client, flags: SYN, sequence }),
        transportFrame({ ...client, flags: ACK, sequence: sequence + 1, acknowledgement }),
      ];
    });
  }

  datagrams(count: number, target: Target): Promise<void> {
    const payload = Buffer.from("flood");
    return this.#flood(count, () => [transportFrame({ ...this.#client(target), protocol: "udp", payload })]);
  }

  /** Of three IPv4 fragments one is a first one, one belongs to it, and one to nothing. */
  fragments(count: number, target: Target): Promise<void> {
    return this.#flood(Math.ceil(count / 3), () => {
      const { source, sourcePort } = this.#client(target);
      const piece = (id: number, fragment: number, payload: Uint8Array) =>
        ethernet(0x0800, ipv4(source, target.address, UDP, payload, { id, fragment }), { to: this.#destinationMac });
      const id = this.#random.whole(1, 0xffff);
      const first = concatBytes([u16(sourcePort, target.port, 40, 0), new Uint8Array(16)]);
      return [
        piece(id, MORE_FRAGMENTS, first),
        piece(id, first.length / 8, new Uint8Array(16)),
        piece(this.#random.whole(1, 0xffff), first.length / 8, new Uint8Array(16)),
      ];
    });
  }

  /** From addresses that any host of the internet may have. */
  #client({ address, port }: Target): TransportFields {
    const byte = () => this.#random.whole(0, 255);
    const word = () => this.#random.whole(1, 0xffff).toString(16);
    const source = isIpv6(address)
      ? `2001:${word()}:${word()}:${word()}:${word()}:${word()}:${word()}:${word()}`
      : `${this.#random.whole(11, 100)}.${byte()}.${byte()}.${byte()}`;
    return {
      protocol: "tcp",
      source,
      destination: address,
      sourcePort: this.#random.whole(1, 0xffff),
      destinationPort: port,
      destinationMac: this.#destinationMac,
    };
  }

  async #flood(count: number, next: () => readonly Uint8Array[]): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      for (const frame of next()) this.#send(frame);
      if (sent % BURST === BURST - 1) await pause(BURST_MILLIS);
    }
  }
}
