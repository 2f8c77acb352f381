/** The addon's functions that this room uses (hal/addon/netlink.c), typed. */
import { addon } from "../addon/load.ts";

/** A socket of the addon; opaque. */
export type Handle = object;

export interface NetlinkCalls {
  /** The callback gets the bytes of whole messages, or the name of an errno; ENOBUFS is an overrun. */
  netlinkOpen(
    receiveBytes: number,
    callback: (bytes: Uint8Array | undefined, code: string | undefined) => void,
    /** Left out, NETLINK_ROUTE. */
    protocol?: number,
  ): Handle;
  netlinkSend(handle: Handle, bytes: Uint8Array): void;
  netlinkJoin(handle: Handle, group: number): void;
  socketClose(handle: Handle): void;
}

export const calls = addon as NetlinkCalls;
