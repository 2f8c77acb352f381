/** What may be done by whom: the scopes that requests need, and which of them a role has. Says nothing of any method. */

/** What a person may do: each can do what the ones before it can. */
export type WebRole = "viewer" | "operator" | "admin";
/** What a request needs, and what a token is given: a role has all up to its own. */
export type Scope = "metrics" | "read" | "operate" | "configure" | "admin";

export const WEB_ROLES: readonly WebRole[] = ["viewer", "operator", "admin"];
export const SCOPES: readonly Scope[] = ["metrics", "read", "operate", "configure", "admin"];

/** A token has only the scopes that it was given. */
export const SCOPES_OF: Readonly<Record<WebRole, readonly Scope[]>> = {
  viewer: ["metrics", "read"],
  operator: ["metrics", "read", "operate", "configure"],
  admin: SCOPES,
};

export function isWebRole(value: unknown): value is WebRole {
  return WEB_ROLES.some((role) => role === value);
}

export function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}
