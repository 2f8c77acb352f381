/** The addon's functions that this room uses (hal/addon/packet.c, icmp.c), typed. */
import { addon } from "../addon/load.ts";

/** A socket of the addon; opaque. */
export type Handle = object;

export interface PacketCalls {
  /** `filter` is a classic BPF program, empty for a socket that only sends; `groups` holds Ethernet addresses end to end. */
  packetOpen(
    ifindex: number,
    filter: Uint8Array,
    ignoreOutgoing: boolean,
    groups: Uint8Array,
    callback: (
      bytes: Uint8Array | undefined,
      code: string | undefined,
      ifindex: number,
      outgoing: boolean,
      at: number,
    ) => void,
  ): Handle;
  packetJoinGroup(handle: Handle, group: Uint8Array): void;
  packetSend(handle: Handle, frame: Uint8Array): void;
  packetAttached(handle: Handle): boolean;
  /** An IPv4 message comes with its IP header, an ICMPv6 one without. Errors come only where they are wanted. */
  icmpOpen(
    ipv6: boolean,
    errors: boolean,
    callback: (bytes: Uint8Array | undefined, code: string | undefined, from: Uint8Array, at: number) => void,
  ): Handle;
  /** `ifindex` 0: by the routes. `hops` 0: as many as the kernel says. */
  icmpSend(handle: Handle, message: Uint8Array, to: Uint8Array, ifindex: number, hops: number): void;
  socketClose(handle: Handle): void;
}

export const calls = addon as PacketCalls;
