/** TCP connections of the calling thread's network namespace, all of a dialer behind one descriptor of the event loop. */
import { addon } from "../addon/load.ts";
import { refused } from "../addon/refused.ts";
import type { Connection, DialEvent, Dialer, Dialing, DialOptions } from "../contract/dial.ts";
import { addressBytes } from "../units/address.ts";

/** What hal/addon/dial.c reads at most at once. */
const READ_BYTES = 16 * 1024;

type Handle = object;
interface Calls {
  dialOpen(
    buffer: Uint8Array,
    callback: (slot: number, event: number, length: number, code: string | undefined) => void,
  ): Handle;
  dialConnect(handle: Handle, to: Uint8Array, port: number, from: Uint8Array, request: Uint8Array): number;
  dialClose(handle: Handle, slot: number): void;
  dialStands(handle: Handle, slot: number): boolean;
  socketClose(handle: Handle): void;
}
const calls = addon as Calls;

const NOTHING = new Uint8Array(0);
const CONNECTED: DialEvent = { kind: "connected" };
const ENDED: DialEvent = { kind: "ended" };

export function openDialing(): Dialing {
  return { open: openDialer };
}

function openDialer(): Dialer {
  const buffer = new Uint8Array(READ_BYTES);
  const listeners: (DialOptions["onEvent"] | undefined)[] = [];
  const handle = refused(() =>
    calls.dialOpen(buffer, (slot, event, length, code) => {
      const listener = listeners[slot];
      const told = dialEvent(buffer, event, length, code);
      // The addon has let go of the slot; the next connection may have it.
      if (told.kind !== "bytes") listeners[slot] = undefined;
      listener?.(told);
    }),
  );
  let closed = false;
  return {
    connect: ({ to, port, from, request, onEvent }): Connection => {
      const source = from === undefined ? NOTHING : addressBytes(from);
      const slot = refused(() => calls.dialConnect(handle, addressBytes(to), port, source, request));
      listeners[slot] = onEvent;
      const isOver = () => closed || listeners[slot] !== onEvent;
      return {
        stands: () => !isOver() && calls.dialStands(handle, slot),
        close: () => {
          if (isOver()) return;
          listeners[slot] = undefined;
          calls.dialClose(handle, slot);
        },
      };
    },
    close: () => {
      closed = true;
      listeners.length = 0;
      calls.socketClose(handle);
    },
  };
}

/** `event` is the enum dial_event of hal/addon/dial.h. */
function dialEvent(buffer: Uint8Array, event: number, length: number, code: string | undefined): DialEvent {
  if (event === 0) return CONNECTED;
  if (event === 1) return { kind: "bytes", bytes: buffer.subarray(0, length) };
  return event === 2 ? ENDED : { kind: "failed", code: code ?? "EUNKNOWN" };
}
