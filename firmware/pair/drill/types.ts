/** What a drill is made of: the notes that each box takes, what comes of them, and what is kept. */
import type { Instant } from "@futago/hal/units/time.ts";

export type Box = "a" | "b";

/** "planned": the boxes change roles as for a switch-over. "killed": what serves on the active box is killed. */
export type How = "planned" | "killed";

/** One echo request to a VIP. */
export interface Echo {
  readonly sentAt: Instant;
  /** Undefined: no answer came. */
  readonly answeredAt: Instant | undefined;
}

/** What the box that gave the VIP away saw, all by its own clock. */
export interface GiverNotes {
  /** When it ceased to answer who holds the VIP; undefined: it never did. */
  readonly clearedAt: Instant | undefined;
  /** The first answer of the other box to the question who holds it; undefined: none. */
  readonly answeredAt: Instant | undefined;
  /** To the other box, once the VIP was not this box's any more. */
  readonly echoes: readonly Echo[];
  readonly endedAt: Instant;
}

/** What the box that took the VIP saw, all by its own clock. */
export interface TakerNotes {
  /** To the other box, as long as it held the VIP. */
  readonly echoes: readonly Echo[];
  /** When it decided to take over; undefined: it never did. */
  readonly decidedAt: Instant | undefined;
  /** When it had the VIP and had told the neighbours. */
  readonly takenAt: Instant | undefined;
}

/** What one box says of one VIP. */
export interface VipFigure {
  readonly group: string;
  readonly address: string;
  readonly side: "gave" | "took";
  /** Null: it cannot be said. */
  readonly silenceMicros: number | null;
  /** Echo requests that count, and those of them that nobody answered. */
  readonly sent: number;
  readonly lost: number;
  /** The longest pause between two probes: nothing shorter can be seen. */
  readonly pauseMicros: number;
}

export interface DrillVip extends Omit<VipFigure, "side"> {
  /** Who held it before; the other one after. */
  readonly from: Box;
}

export interface DrillBox {
  readonly hostname: string;
  readonly version: string;
}

export interface DrillResult {
  /** 16 hex digits. */
  readonly id: string;
  readonly how: How;
  /** RFC 3339. */
  readonly at: string;
  /** Who ordered it; "schedule": nobody did. */
  readonly by: string;
  readonly revision: string;
  readonly tookMillis: number;
  readonly vips: readonly DrillVip[];
  /** Established ones in the balancer's table of the box that served before, and of the one that served after. */
  readonly connections: { readonly before: number; readonly after: number };
  readonly allowed: Allowed;
  /** Sentences: in what it was worse than allowed. Nothing: the fail-over is proven. */
  readonly worse: readonly string[];
  /** "stayed": the other box serves since. "failed": it was to go back and could not. */
  readonly back: "stayed" | "ordered" | "worse" | "failed";
  readonly boxes: { readonly a: DrillBox; readonly b: DrillBox };
}

/** Of each VIP. */
export interface Allowed {
  readonly silenceMicros: number;
  /** Null: as many as fall into the silence. */
  readonly lost: number | null;
}

export interface DrillRefusal {
  /** 5: peer needed, 6: conflict. */
  readonly exitCode: number;
  readonly what: string;
  readonly mend: string;
}

/** What the two cores say to each other during a drill. */
export type DrillMessage =
  /** Get ready, and begin to probe. */
  | { readonly kind: "drillBegin"; readonly drill: string; readonly how: How }
  | {
      readonly kind: "drillReady";
      readonly drill: string;
      /** Why not; undefined: it probes. */
      readonly refusal: DrillRefusal | undefined;
      readonly box: DrillBox | undefined;
    }
  /** Kill what serves: only the box that holds every group is asked. */
  | { readonly kind: "drillKill"; readonly drill: string }
  | { readonly kind: "drillEnd"; readonly drill: string }
  | {
      readonly kind: "drillNotes";
      readonly drill: string;
      readonly figures: readonly VipFigure[];
      readonly before: number;
      readonly after: number;
    }
  /** To be kept by both. */
  | { readonly kind: "drillKept"; readonly result: DrillResult };
