/**
 * The packet sockets of a box alone: one set per link that carries a virtual router. Decodes what comes, counts
 * every refusal by its reason, and passes on what is for one of our virtual routers.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, Link, ReceivedFrame } from "@futago/hal/contract/network.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { type ArpPacket, decodeArp } from "../../announce/arp.ts";
import { decodeNeighbour, type NeighbourPacket } from "../../announce/nd.ts";
import { decodeVrrpFrame, type FrameRefusal, type VrrpFrame } from "../../announce/vrrp-frame.ts";
import {
  type AdvertisementRefusal,
  decodeAdvertisement,
  type ReceivedAdvertisement,
} from "../../standby/vrrp/packet.ts";

export interface AloneSocketEvents {
  readonly onAdvertisement: (device: Ifname, advertisement: ReceivedAdvertisement, frame: VrrpFrame) => void;
  readonly onRefusal: (
    device: Ifname,
    reason: FrameRefusal | AdvertisementRefusal,
    frame: VrrpFrame | undefined,
  ) => void;
  readonly onNeighbourTalk: (device: Ifname, packet: ArpPacket | NeighbourPacket) => void;
  /** A socket broke, or one could be opened: the links want to be looked at again. */
  readonly onChange: () => void;
}

interface LinkSockets {
  readonly ifindex: Link["ifindex"];
  readonly sockets: readonly FrameSocket[];
  readonly vrrp: FrameSocket;
}

export class AloneSockets {
  readonly #frames: Hal["frames"];
  readonly #events: AloneSocketEvents;
  readonly #links = new Map<Ifname, LinkSockets>();
  #received = 0;

  constructor(frames: Hal["frames"], events: AloneSocketEvents) {
    this.#frames = frames;
    this.#events = events;
  }

  /** Frames received so far, whatever they were. */
  get received(): number {
    return this.#received;
  }

  sender(device: Ifname): FrameSocket | undefined {
    return this.#links.get(device)?.vrrp;
  }

  /** Opens and closes sockets so that exactly these links have theirs. Throws HalError when one cannot be opened. */
  configure(links: readonly Link[]): void {
    for (const [device, { ifindex }] of this.#links) {
      if (!links.some((link) => link.ifname === device && link.ifindex === ifindex)) this.#close(device);
    }
    for (const link of links) if (!this.#links.has(link.ifname)) this.#open(link);
  }

  close(): void {
    for (const device of this.#links.keys()) this.#close(device);
  }

  #open(link: Link): void {
    const { ifindex, ifname: device } = link;
    const sockets: FrameSocket[] = [];
    const onError = () => {
      if (this.#links.get(device)?.ifindex !== ifindex) return;
      this.#close(device);
      this.#events.onChange();
    };
    const open = (receive: "vrrp" | "arp" | "nd", onFrame: (bytes: Uint8Array) => void): FrameSocket => {
      const take = (frame: ReceivedFrame) => {
        this.#received += 1;
        if (!frame.outgoing) onFrame(frame.bytes);
      };
      const socket = this.#frames.open({ ifindex, receive, onFrame: take, onError });
      sockets.push(socket);
      return socket;
    };
    try {
      const vrrp = open("vrrp", (bytes) => this.#onVrrp(device, bytes));
      open("arp", (bytes) => this.#onNeighbourTalk(device, decodeArp(bytes)));
      open("nd", (bytes) => this.#onNeighbourTalk(device, decodeNeighbour(bytes)));
      this.#links.set(device, { ifindex, sockets, vrrp });
    } catch (error) {
      for (const socket of sockets) socket.close();
      throw error;
    }
  }

  #close(device: Ifname): void {
    const entry = this.#links.get(device);
    this.#links.delete(device);
    for (const socket of entry?.sockets ?? []) socket.close();
  }

  #onVrrp(device: Ifname, bytes: Uint8Array): void {
    const frame = decodeVrrpFrame(bytes);
    if (!frame.ok) return this.#events.onRefusal(device, frame.reason, undefined);
    const advertisement = decodeAdvertisement(frame.value.message, frame.value);
    if (!advertisement.ok) return this.#events.onRefusal(device, advertisement.reason, frame.value);
    this.#events.onAdvertisement(device, advertisement.value, frame.value);
  }

  #onNeighbourTalk(device: Ifname, packet: ArpPacket | NeighbourPacket | undefined): void {
    if (packet !== undefined) this.#events.onNeighbourTalk(device, packet);
  }
}
