/** The button of a board: found when it is there, heard by its edges, and looked for again when it was unplugged. */
import type { ButtonPlace } from "@futago/hal/contract/board.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Board, WatchedInput } from "@futago/hal/contract/machine.ts";

export type ButtonEvent =
  | { readonly kind: "buttonFound"; readonly pressed: boolean }
  | { readonly kind: "button"; readonly pressed: boolean }
  | { readonly kind: "buttonGone" };

export class BoardButton {
  readonly #board: Board;
  readonly #place: ButtonPlace;
  readonly #onEvent: (event: ButtonEvent) => void;
  #input: WatchedInput | undefined;
  #trouble: string | undefined;

  constructor(board: Board, place: ButtonPlace, onEvent: (event: ButtonEvent) => void) {
    this.#board = board;
    this.#place = place;
    this.#onEvent = onEvent;
  }

  get isFound(): boolean {
    return this.#input !== undefined;
  }

  /** Why it is not heard, beyond not being there. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Costs a look into a directory while there is none. */
  look(): void {
    if (this.#input !== undefined) return;
    try {
      this.#input = this.#listen();
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#trouble = error.message;
    }
    if (this.#input !== undefined) this.#onEvent({ kind: "buttonFound", pressed: this.#isPressed(this.#input.level) });
  }

  close(): void {
    this.#input?.close();
    this.#input = undefined;
  }

  #listen(): WatchedInput | undefined {
    const place = this.#place;
    const onLevel = (level: boolean | undefined) => {
      if (level !== undefined) return this.#onEvent({ kind: "button", pressed: this.#isPressed(level) });
      this.#input = undefined;
      this.#onEvent({ kind: "buttonGone" });
    };
    if (place.kind === "gpio") return this.#board.watchLine(place.chip, place.line, onLevel);
    for (const name of place.inputs) {
      const found = this.#board.watchKey(name, place.code, onLevel);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #isPressed(level: boolean): boolean {
    return this.#place.kind === "gpio" && this.#place.activeLow ? !level : level;
  }
}
