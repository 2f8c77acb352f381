/** Looks at the box every few seconds until the version that runs is found good or given up, and has done what follows. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import { toMillis } from "@futago/hal/units/time.ts";
import {
  beginProof,
  type Finding,
  type ProofConfig,
  type ProofState,
  proofTakes,
  stepProof,
} from "../../../update/proof.ts";
import type { ProofShown } from "../../control-update.ts";

export interface ProofKeeperOptions {
  readonly clock: Clock;
  readonly config: ProofConfig;
  readonly look: () => Promise<readonly Finding[]>;
  readonly isServing: () => boolean;
  readonly markGood: () => Promise<void>;
  /** Marks the slot bad and starts the box anew. */
  readonly goBack: (findings: readonly Finding[]) => Promise<void>;
  /** What could not be done, which is tried again at the next look. */
  readonly onTrouble: (error: unknown) => void;
  readonly onChange: () => void;
}

const LOOK_MILLIS = 10_000;
/** A short proof is looked at more often. */
const LOOKS_MIN = 6;

export class ProofKeeper {
  readonly #options: ProofKeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #state: ProofState;
  #isLooking = false;

  constructor(options: ProofKeeperOptions) {
    this.#options = options;
    this.#state = beginProof(options.clock.now());
    const each = Math.min(LOOK_MILLIS, toMillis(options.config.soak) / LOOKS_MIN);
    this.#timer = setInterval(() => void this.look(), each);
    void this.look();
  }

  get shown(): ProofShown {
    const state = this.#state;
    const left = proofTakes(state, this.#options.clock.now());
    return {
      state: state.kind === "proven" ? "good" : state.kind,
      findings: "findings" in state ? state.findings.map(({ sentence }) => sentence) : [],
      secondsLeft: left === undefined ? null : Math.ceil(left / 1_000_000),
    };
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#step();
    } catch (error) {
      this.#options.onTrouble(error);
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A step counts once its action is carried out: what the disk refused is done again. */
  async #step(): Promise<void> {
    const { config, look, isServing, clock, markGood, goBack, onChange } = this.#options;
    const findings = await look();
    const before = this.#state.kind;
    const { state, actions } = stepProof(config, this.#state, { findings, isServing: isServing() }, clock.now());
    for (const action of actions) {
      if (action.kind === "markGood") await markGood();
      else await goBack(action.findings);
    }
    this.#state = state;
    if (state.kind === "proven" || state.kind === "givenUp") this.close();
    if (state.kind !== before) onChange();
  }
}
