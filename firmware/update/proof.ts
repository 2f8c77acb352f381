/**
 * Whether the version that runs has shown that it is good. A boot is found good when nothing was wrong for the soak time on end;
 * a trial in which something is still wrong at the end of its bound is given up, and the box goes back to the other slot. A
 * boot that is no trial is never given up: the box would only lose what it still does. Looks at nothing itself.
 */
import { after, type Instant, micros, type Micros, seconds } from "@futago/hal/units/time.ts";

/** What is looked at. */
export type Subject =
  | "verity"
  | "data"
  | "store"
  | "configuration"
  | "ports"
  | "peer"
  | "flows"
  | "pages"
  | "units"
  | "updater";

/** Something that is not as it must be, in words. */
export interface Finding {
  readonly subject: Subject;
  readonly sentence: string;
}

export interface ProofConfig {
  readonly isTrial: boolean;
  /** The loader has another slot to take. */
  readonly canGoBack: boolean;
  /** For so long nothing may be wrong. */
  readonly soak: Micros;
}

export interface Look {
  readonly findings: readonly Finding[];
  /** The box holds a role, so that its end would be felt. */
  readonly isServing: boolean;
}

export type ProofState =
  | { readonly kind: "waiting"; readonly deadline: Instant; readonly findings: readonly Finding[] }
  | { readonly kind: "soaking"; readonly deadline: Instant; readonly until: Instant }
  | { readonly kind: "proven" }
  | { readonly kind: "givenUp"; readonly findings: readonly Finding[] };

export type ProofAction =
  /** The slot that runs is good. */
  | { readonly kind: "markGood" }
  /** It is bad: the box starts again, from the other slot. */
  | { readonly kind: "goBack"; readonly findings: readonly Finding[] };

export const SOAK: Micros = seconds(120);
/** From the start of core: a check of a large store and a peer that comes up later have room in it. */
export const TRIAL_BOUND: Micros = seconds(900);

/** What only the other box can mend. */
const OF_THE_PEER: ReadonlySet<Subject> = new Set(["peer", "flows"]);

export function beginProof(now: Instant): ProofState {
  return { kind: "waiting", deadline: after(now, TRIAL_BOUND), findings: [] };
}

export function stepProof(
  config: ProofConfig,
  state: ProofState,
  look: Look,
  now: Instant,
): { readonly state: ProofState; readonly actions: readonly ProofAction[] } {
  if (state.kind === "proven" || state.kind === "givenUp") return { state, actions: [] };
  const { deadline } = state;
  // A box whose peer is dead must not lose its tries by it.
  const findings = config.isTrial ? look.findings : look.findings.filter(({ subject }) => !OF_THE_PEER.has(subject));
  if (findings.length === 0) {
    const until = state.kind === "soaking" ? state.until : after(now, config.soak);
    if (now >= until) return { state: { kind: "proven" }, actions: [{ kind: "markGood" }] };
    return { state: { kind: "soaking", deadline, until }, actions: [] };
  }
  if (now < deadline || !config.isTrial) return { state: { kind: "waiting", deadline, findings }, actions: [] };
  if (!mayGoBack(config, findings, look)) {
    return { state: { kind: "waiting", deadline: after(now, TRIAL_BOUND), findings }, actions: [] };
  }
  return { state: { kind: "givenUp", findings }, actions: [{ kind: "goBack", findings }] };
}

/** The only box that serves is not restarted because the other one is away. */
function mayGoBack({ canGoBack }: ProofConfig, findings: readonly Finding[], { isServing }: Look): boolean {
  return canGoBack && !(isServing && findings.every(({ subject }) => OF_THE_PEER.has(subject)));
}

/** How long the proof still takes if nothing goes wrong; undefined once it has ended, and while something is wrong. */
export function proofTakes(state: ProofState, now: Instant): Micros | undefined {
  return state.kind === "soaking" ? micros(Math.max(0, state.until - now)) : undefined;
}
