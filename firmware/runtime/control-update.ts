/** What the control socket knows of a box's two slots and of updates. */

export type Slot = "a" | "b";

export interface SlotShown {
  readonly slot: Slot;
  readonly isRunning: boolean;
  /** The next boot takes it first. */
  readonly isFirst: boolean;
  /** "trial": it boots, and was not found good yet. "bad": no boot takes it. */
  readonly verdict: "good" | "trial" | "bad";
  /** Boots that are left to it before the other slot is taken. */
  readonly tries: number;
  /** What was installed into it since the disk was written; null where nothing was. */
  readonly version: string | null;
}

export interface ProofShown {
  /** "soaking": nothing is wrong, and this has to last. "off": the machine has no slots. */
  readonly state: "off" | "waiting" | "soaking" | "good" | "givenUp";
  /** What keeps the running version from being found good, in sentences. */
  readonly findings: readonly string[];
  /** Until it is found good, while it soaks. */
  readonly secondsLeft: number | null;
}

export interface UpdateStep {
  /** RFC 3339 with milliseconds. */
  readonly at: string;
  readonly sentence: string;
}

export interface UpdateShown {
  /** The image that runs; null where the machine did not boot from one. */
  readonly version: string | null;
  readonly slots: readonly SlotShown[];
  readonly proof: ProofShown;
  /** Of the installation that is under way; null where none is. */
  readonly percent: number | null;
  /** What the newest update on this box did, the oldest step first. Empty after a start. */
  readonly steps: readonly UpdateStep[];
  readonly isWorking: boolean;
  /** Why the newest update came to nothing. */
  readonly failure: string | null;
}

export interface UpdateOrder {
  /** A bundle on this box, by its path; or one that was sent, by the name of its upload. */
  readonly file?: string;
  readonly upload?: number;
  /** Although nobody can take over what this box holds. */
  readonly force?: boolean;
  readonly author: string;
}

export interface UpdateMethods {
  updateStatus: { params: Record<string, never>; result: UpdateShown };
  /** Checks the bundle before it answers, then installs it and starts the box anew on trial. */
  update: { params: UpdateOrder; result: { readonly message: string } };
  /** A bundle will be sent, of so many bytes. There is room for it. */
  updateUpload: { params: { readonly length: number }; result: { readonly upload: number } };
  /** The next of its bytes as base64; answers how many are there. */
  updateUploadPart: {
    params: { readonly upload: number; readonly offset: number; readonly bytes: string };
    result: { readonly received: number };
  };
  /** Starts the box anew from the other slot, on trial. */
  updateBack: {
    params: { readonly force?: boolean; readonly author: string };
    result: { readonly message: string };
  };
}
