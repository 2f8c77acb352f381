/** What the control socket knows of pairing. */
import type { CeremonyShown } from "../pair/ceremony/ceremony.ts";
import type { Box } from "./messages.ts";

export type { CeremonyShown, Ending } from "../pair/ceremony/ceremony.ts";
export type { Versions } from "../pair/ceremony/version.ts";

export interface PairingShown {
  /** "key": started with --pair-key, which stands for a pairing. "left": it gave its peer up. */
  readonly kind: "alone" | "key" | "paired" | "left";
  /** Null on a box that nobody gave a letter. */
  readonly box: Box | null;
  /** The link between the two cores stands. */
  readonly linked: boolean;
  /** The configuration in force is that of a box alone, by which it has no link. */
  readonly configuredAlone: boolean;
  /** Null on a box that was not paired. */
  readonly pairing: {
    readonly since: string;
    /** Of the certificates: SHA-256 in hexadecimal. */
    readonly fingerprint: string | null;
    /** Null when the box gave its peer up. */
    readonly peerFingerprint: string | null;
    /** The port on whose cable the two met. */
    readonly device: string;
    /** The pair is changing its keys. */
    readonly rotating: boolean;
  } | null;
  /** Why the newest ceremony could not be held here; null when it could. */
  readonly trouble: string | null;
  readonly ceremony: CeremonyShown;
}

export interface PairingMethods {
  pairing: { params: Record<string, never>; result: PairingShown };
  /** `replace`: a box that has a peer already takes another instead. */
  pairInvite: { params: { readonly replace?: boolean }; result: PairingShown };
  /** `replace`: a peer, or a configuration of this box's own, is given up for the inviter's. */
  pairJoin: { params: { readonly code: string; readonly replace?: boolean }; result: PairingShown };
  /** Whether both boxes show the same digits. */
  pairAnswer: { params: { readonly yes: boolean }; result: PairingShown };
  pairCancel: { params: Record<string, never>; result: PairingShown };
  pairRotate: { params: Record<string, never>; result: PairingShown };
  unpair: { params: Record<string, never>; result: { readonly message: string } };
}
