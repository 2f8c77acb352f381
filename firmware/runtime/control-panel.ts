/** What the control socket knows of the front of a box. */
import type { WatchdogShown } from "./messages.ts";

export type LightShown = "off" | "on" | "blink";

export interface PanelShown {
  /** The name of the board's description. */
  readonly board: string;
  /** Somebody looks for this box by its lights. */
  readonly locating: boolean;
  /** What each light of the board shows; those that it has not are not there. */
  readonly lights: Readonly<Partial<Record<"role" | "peer" | "alarm" | "locate", LightShown>>>;
  /** "none": the board has no button; "missing": it is not found; "stuck": it is held for longer than anybody presses. */
  readonly button: "none" | "missing" | "ready" | "stuck";
  /** Null until the sentinel told it, and where the board has none. */
  readonly watchdog: WatchdogShown | null;
}

export interface PanelMethods {
  /** Lets the lights blink, so that a person finds the box. */
  locate: { params: { readonly on: boolean }; result: { readonly message: string } };
}
