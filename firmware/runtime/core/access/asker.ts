/** Who asks on a control socket. */
import type { Scope, WebRole } from "../../control-access.ts";

export interface Person {
  /** The author of what is changed: a user's name, or "token deploy". */
  readonly name: string;
  /** Null of a token. */
  readonly role: WebRole | null;
  readonly scopes: readonly Scope[];
  /** The id of the session; undefined of a token. */
  readonly session: string | undefined;
  /** RFC 3339; null: never. */
  readonly expiresAt: string | null;
}

export type Asker =
  /** On the box itself. */
  | { readonly kind: "root" }
  /** Signed in, or with a token. `from` is an address. */
  | { readonly kind: "person"; readonly person: Person; readonly from: string }
  /** Not signed in. */
  | { readonly kind: "stranger"; readonly from: string }
  /** The web process for itself. */
  | { readonly kind: "web" };
