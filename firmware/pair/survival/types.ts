/** What is asked to know whether a pair would survive a failure, and the answer. */

/** What one box knows of itself, told to the other one. */
export interface BoxFacts {
  /** "unknown" while its sentinel does not run. */
  readonly role: string;
  /** 64 hexadecimal digits; empty on a box without a configuration. */
  readonly revision: string;
  readonly groups: readonly GroupFacts[];
  /** The words of its alarms, each once. */
  readonly alarms: readonly string[];
  /** Whether its peer has all connections that it serves; true where it serves none. */
  readonly told: boolean;
}

export interface GroupFacts {
  readonly name: string;
  readonly state: string;
  /** Interfaces of its virtual routers that have no carrier here, or no device. */
  readonly down: readonly string[];
}

export interface PathFacts {
  readonly interface: string;
  /** The device of this box. */
  readonly device: string;
  readonly alive: boolean;
}

export interface DrillFacts {
  /** Of the newest one, milliseconds since 1970. */
  readonly at: number;
  readonly passed: boolean;
}

export interface SurvivalFacts {
  /** "left": the box gave its peer up. */
  readonly pairing: "alone" | "key" | "paired" | "left";
  /** The letter of this box; "alone". */
  readonly box: string;
  readonly own: BoxFacts;
  /** What heartbeats tell; undefined where the configuration is none of a pair. */
  readonly peer: { readonly alive: boolean; readonly role: string } | undefined;
  readonly paths: readonly PathFacts[];
  /** The cores are linked. */
  readonly linked: boolean;
  /** What the peer's core told lately; undefined while it says nothing. */
  readonly told: BoxFacts | undefined;
  /** A cold pair: people decide who serves. */
  readonly cold: boolean;
  /** Services that rules of nftables serve: their connections are known to no peer. */
  readonly unshared: readonly string[];
  readonly drill: DrillFacts | undefined;
  /** The peer's clock less this one's; undefined: not known. */
  readonly clockOffsetMillis: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Whether the pair would survive the death of either box now. `reasons` say why not, the gravest first; each has a stable
 * word for scripts and other languages, the values of its sentence, and the sentence.
 */
export interface Survival {
  readonly survives: "yes" | "no" | "partly";
  readonly reasons: readonly SurvivalReason[];
}

/** "no": what the box serves would be gone. "partly": something of it would be lost. "remark": nothing would. */
export type SurvivalWeight = "no" | "partly" | "remark";

export interface SurvivalReason {
  readonly reason: string;
  readonly weight: SurvivalWeight;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly sentence: string;
}
