/** What of the menu whoever stands before a box may do without an account. Pure. */
import type { Facts } from "./facts.ts";
import type { EntryName } from "./menu.ts";

/** What only shows. */
const OPEN: readonly EntryName[] = ["status", "why"];

export function needsSignIn(name: EntryName, { isLocked, isPasswordAsked }: Facts): boolean {
  if (!isLocked || OPEN.includes(name)) return false;
  // Who chose it at the boot menu has shown that he stands there and could take the whole box.
  return !(name === "password" && isPasswordAsked);
}

export const SIGN_IN = [
  "This box has an owner. It asks for an admin's account, as of the web UI, before",
  "it changes anything. If the password is lost, restart the box and choose",
  '"Reset the password" at the boot menu.',
] as const;
