/** What can be asked on the control socket about drills. */
import type { DrillResult, How } from "../pair/drill/types.ts";

export type { DrillResult } from "../pair/drill/types.ts";

/** The newest drill in short, and the newest that was as good as it must be. */
export interface LastDrill {
  /** RFC 3339. */
  readonly at: string;
  readonly how: How;
  readonly passed: boolean;
  readonly lost: number;
  /** The longest of any VIP; null: no VIP was seen to change hands. */
  readonly silenceMicros: number | null;
  readonly sentence: string;
  readonly provenAt: string | null;
  readonly provenLost: number | null;
}

export interface DrillsShown {
  /** What it does now, such as "watching who answers"; null while no drill is under way. */
  readonly running: { readonly id: string; readonly phase: string } | null;
  /** The newest first. */
  readonly results: readonly DrillResult[];
  /** Why the newest drill came to no result; null: it did. */
  readonly trouble: string | null;
  /** `pair.drill`, with the time zone; null: only when somebody asks for one. */
  readonly schedule: string | null;
}

export interface DrillMethods {
  /** Answers when both boxes probe; `drills` tells the rest. `back`: the roles return at the end, however it went. */
  drill: {
    params: { readonly how?: How; readonly back?: boolean; readonly author: string };
    result: { readonly id: string };
  };
  drills: { params: Record<string, never>; result: DrillsShown };
}
