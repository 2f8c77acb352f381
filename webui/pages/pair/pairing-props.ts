import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";

/** What is known of the pairing, and how to ask again. */
export interface PairingProps {
  readonly shown: PairingShown;
  readonly again: () => Promise<void>;
}
