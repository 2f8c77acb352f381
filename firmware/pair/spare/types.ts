/** What is decided about a cold pair: who serves, what the other one's ports do, what must be proven before. */
import type { IpAddress, Mac } from "@futago/hal/units/address.ts";
import type { Instant } from "@futago/hal/units/time.ts";

export type Box = "a" | "b";

/**
 * Who serves, as people have decided it; the higher epoch wins. "nobody": the active box was released. "undecided": nobody
 * ever had to decide, as before the first configuration or while the pair was hot.
 */
export interface Activation {
  readonly epoch: number;
  readonly active: Box | "nobody" | "undecided";
}

export const NO_ACTIVATION: Activation = { epoch: 0, active: "undecided" };

export interface SpareConfig {
  readonly box: Box;
  /** The configuration in force says so. */
  readonly cold: boolean;
  /** Serves while nobody has decided: preferred by the first group, else a. */
  readonly preferred: Box;
}

/** Somebody uses an address that would be this box's if it served. */
export interface Answer {
  readonly address: IpAddress;
  readonly mac: Mac;
  readonly device: string;
}

/** What asking around came to. */
export interface Look {
  readonly answers: readonly Answer[];
  /** Ports on which nothing could be asked, because no cable is in them. */
  readonly unplugged: readonly string[];
  /** Addresses that were asked for. */
  readonly asked: number;
}

export interface SpareState {
  /** The newest that this box knows of. */
  readonly activation: Activation;
  /** It may serve: it served already, the peer says that it does not, nobody answered, or a person insisted. */
  readonly proven: boolean;
  /** The sentinel holds groups. */
  readonly serving: boolean;
  /** How the sentinel hears the peer. */
  readonly peer: "unknown" | "silent" | "idle" | "active";
  readonly linked: boolean;
  /** It asks around, with the ports open and no address on them: "boot" by itself, "person" because somebody wants it. */
  readonly looking: "boot" | "person" | undefined;
  /** When it asks around by itself. */
  readonly lookAt: Instant | undefined;
  /** Why it does not serve although it should. */
  readonly doubt: Look | undefined;
  /** What somebody overrode. */
  readonly forced: Look | undefined;
}

export type SpareInput =
  /** The configuration is another one, or the box has just begun. `serving`: the sentinel holds groups already. */
  | { readonly kind: "configured"; readonly before: SpareConfig | undefined; readonly serving: boolean }
  | { readonly kind: "sentinel"; readonly serving: boolean; readonly peer: SpareState["peer"] }
  | { readonly kind: "sentinelLost" }
  | { readonly kind: "link"; readonly up: boolean }
  /** The peer says what it knows. */
  | { readonly kind: "told"; readonly activation: Activation }
  /** A person wants to know whether this box may serve. */
  | { readonly kind: "look" }
  /** What became of asking around, for whom it was done. */
  | { readonly kind: "looked"; readonly by: "boot" | "person"; readonly look: Look }
  /** A person decided, and it is on the disk. `forced`: against what was seen. */
  | { readonly kind: "decided"; readonly activation: Activation; readonly forced: Look | undefined }
  | { readonly kind: "timeout" };

export type SpareAction =
  /** Remember it over a restart. */
  | { readonly kind: "keep"; readonly activation: Activation }
  | { readonly kind: "tell"; readonly activation: Activation }
  /** Ask around; `looked` follows. */
  | { readonly kind: "look" };

export interface SpareStep {
  readonly state: SpareState;
  readonly actions: readonly SpareAction[];
}

/** What this box is to be now. */
export interface Standing {
  readonly part: "either" | "active" | "spare";
  /** Of virtual routers. "silent": up, without an address. */
  readonly ports: "open" | "silent" | "shut";
}
