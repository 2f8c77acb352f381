/** LEDs that show the link of a port: the kernel drives them; this tells it which port is whose, until it took it. */
import type { LinkPlace } from "@futago/hal/contract/board.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Board } from "@futago/hal/contract/machine.ts";
import { findLed } from "../../hardware/light-output.ts";

export class PortLights {
  readonly #board: Board;
  readonly #places: readonly LinkPlace[];
  /** By LED, the port that it follows. A port that was renamed is told anew. */
  readonly #followed = new Map<string, string>();
  readonly #troubles = new Map<string, string>();

  constructor(board: Board, places: readonly LinkPlace[]) {
    this.#board = board;
    this.#places = places;
  }

  /** By LED. */
  get troubles(): ReadonlyMap<string, string> {
    return this.#troubles;
  }

  look(): void {
    for (const { led, port } of this.#places) {
      const ifname = "bus" in port ? this.#board.portAt(port.bus) : port.device;
      // A port that is not there has no link to show.
      if (ifname === undefined || this.#followed.get(led) === ifname) continue;
      try {
        findLed(this.#board, led).followLink(ifname);
        this.#followed.set(led, ifname);
        this.#troubles.delete(led);
      } catch (error) {
        if (!(error instanceof HalError)) throw error;
        this.#troubles.set(led, error.message);
      }
    }
  }
}
