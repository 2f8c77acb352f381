/** How a box is taken down, as the supervisor tells its sentinel beforehand. */
import type { PowerEnd } from "../control.ts";

export type HowBoxEnds =
  /** Somebody stopped the service. */
  | "stop"
  /** It is there again in a moment. */
  | "restart"
  | PowerEnd;

export interface EndingNotice {
  readonly kind: "ending";
  readonly as: HowBoxEnds;
}
