/** What the control socket knows of a cold pair. */

export interface SpareOrder {
  /** Against what is seen. */
  readonly force: boolean;
  readonly author: string;
}

export interface SpareDone {
  /** Whole sentences, one a line. */
  readonly message: string;
  /** From the order to the first answer of a virtual address; null when there was nothing to do. */
  readonly tookMillis: number | null;
}

export interface SpareMethods {
  /** Makes sure that the other box is dark, then this one serves. */
  spareActivate: { params: SpareOrder; result: SpareDone };
  /** The active box becomes the spare, so that the other one may be activated. */
  spareRelease: { params: SpareOrder; result: SpareDone };
}
