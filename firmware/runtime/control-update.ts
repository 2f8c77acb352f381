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

/** In the order in which a pair goes through them; each is of one box. */
export type PairUpdateStage =
  /** The bundle, both boxes and the link are looked at. */
  | "checking"
  /** The bundle goes to the other box, over the pair's link. */
  | "sending"
  /** It is written into the slot that does not run. */
  | "installing"
  /** The box starts anew from that slot, on trial. */
  | "starting"
  /** Nothing may be wrong with it for as long as a version is found good. */
  | "proving"
  /** The updated box takes over. */
  | "handingOver"
  /** It serves, and its traffic is held against the former version's. */
  | "watching"
  /** What served before takes over again. */
  | "handingBack"
  /** The box starts the former version again. */
  | "goingBack"
  | "over";

export interface PairUpdateShown {
  /** 16 hex digits, the same on both boxes. */
  readonly id: string;
  /** What the bundle holds. */
  readonly version: string;
  readonly author: string;
  /** RFC 3339 with milliseconds. */
  readonly startedAt: string;
  readonly stage: PairUpdateStage;
  /** The box that the stage is about: the standby first, then the other one. */
  readonly box: "a" | "b";
  /** While it is sent or written. */
  readonly percent: number | null;
  /** While it is proved or watched, when nothing goes wrong. */
  readonly secondsLeft: number | null;
  /** What the stage waits for, or what speaks against the new version, in sentences. */
  readonly findings: readonly string[];
  /** The oldest first; of both boxes. */
  readonly steps: readonly UpdateStep[];
  /** "done": both run it. "cameBack": neither does, and the former version serves. "halfway": one of them does. */
  readonly outcome: "running" | "done" | "cameBack" | "halfway";
  /** Why it did not come to its end. */
  readonly failure: string | null;
  /** It can still be stopped, and then both boxes run the former version. */
  readonly canStop: boolean;
}

export interface PeerVersionShown {
  readonly version: string | null;
  readonly proof: ProofShown["state"];
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
  /** What the other box runs, as it told last; null on a box alone, or when it never told. */
  readonly peer: PeerVersionShown | null;
  /** The newest update of the pair; null where there was none. */
  readonly pair: PairUpdateShown | null;
}

export interface UpdateOrder {
  /** A bundle on this box, by its path; or one that was sent, by the name of its upload. */
  readonly file?: string;
  readonly upload?: number;
  /** Although nobody can take over what this box holds. */
  readonly force?: boolean;
  /** Not the other one of its pair. A box without a peer needs no such word. */
  readonly thisBox?: boolean;
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
  /** Takes the pair's update back, while that can be done. */
  updateStop: { params: { readonly author: string }; result: { readonly message: string } };
  /** Starts the box anew from the other slot, on trial. */
  updateBack: {
    params: { readonly force?: boolean; readonly author: string };
    result: { readonly message: string };
  };
}
