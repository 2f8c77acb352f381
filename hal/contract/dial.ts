/** Short TCP connections, many at once: what health checks ask by. */
import type { IpAddress } from "../units/address.ts";

export interface DialOptions {
  readonly to: IpAddress;
  readonly port: number;
  /** The source address; undefined lets the kernel choose. */
  readonly from: IpAddress | undefined;
  /** Sent when the connection stands. Empty: nothing is asked, and the connection ends as soon as it stands. At most 64 KiB. */
  readonly request: Uint8Array;
  readonly onEvent: (event: DialEvent) => void;
}

export type DialEvent =
  /** The last event of a connection without a request. */
  | { readonly kind: "connected" }
  /** The bytes are the listener's only during the call. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** The other side has said all it had to say. The last event. */
  | { readonly kind: "ended" }
  /** `code` is the errno's name. The last event. */
  | { readonly kind: "failed"; readonly code: string };

export interface Connection {
  /** Resets the connection; no event comes any more. Harmless once it is over. */
  close(): void;
  /** Whether the other side has accepted it, and it is not over. */
  stands(): boolean;
}

/** Every connection ends with a reset, so that no TIME_WAIT adds up on either side. */
export interface Dialer {
  /**
   * Begins to connect; events come later, never from inside the call. Throws HalError when the kernel refuses at once
   * (no route, no descriptor).
   */
  connect(options: DialOptions): Connection;
  /** Resets all its connections. */
  close(): void;
}

export interface Dialing {
  /** Keeps the process alive until it is closed. */
  open(): Dialer;
}
