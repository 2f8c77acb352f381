/** How a light looks, and what each role, peer and alarm looks like. A kernel's timer blinks without us. */

export type Light =
  | { readonly kind: "off" }
  | { readonly kind: "on" }
  | { readonly kind: "blink"; readonly onMillis: number; readonly offMillis: number };

export const OFF: Light = { kind: "off" };
export const ON: Light = { kind: "on" };
/** Eight times a second is what people take for trouble. */
export const FAST = blink(125, 125);
/** Nobody has given the box a configuration or an owner, or it is starting. */
export const WAITING = blink(1_000, 1_000);
export const LOCATING = blink(250, 250);

export function blink(onMillis: number, offMillis: number): Light {
  return { kind: "blink", onMillis, offMillis };
}

/** The sentinel's role as it shows it; undefined while it has no orders. */
export function roleLight(role: string | undefined): Light {
  switch (role) {
    case "active":
      return ON;
    // Nothing to hold: lit like one that serves, with a blink that tells them apart.
    case "alone":
      return blink(1_900, 100);
    case "standby":
      return blink(100, 1_900);
    case "spare":
      return blink(100, 4_900);
    case "maintenance":
      return blink(500, 500);
    case "fault":
      return FAST;
    case undefined:
    // "initialize" and words of a later version among them.
    default:
      return WAITING;
  }
}

export type PeerSeen = "none" | "alive" | "lost";

export function peerLight(peer: PeerSeen): Light {
  switch (peer) {
    case "none":
      return OFF;
    case "alive":
      return ON;
    case "lost":
      return FAST;
  }
}

export function sameLight(one: Light, other: Light): boolean {
  if (one.kind !== "blink" || other.kind !== "blink") return one.kind === other.kind;
  return one.onMillis === other.onMillis && one.offMillis === other.offMillis;
}
