/** What a name and a password may be. Decides no more than that. */

export const NAME_LENGTH_MAX = 32;
export const PASSWORD_CHARACTERS_MIN = 10;
export const PASSWORD_CHARACTERS_MAX = 256;

/** The label of what a refusal is about, too. */
export type PasswordRefusal = "passwordTooShort" | "passwordTooLong" | "passwordIsName";

/**
 * Of users and tokens: small letters, so that no two names differ in that alone, digits, and what stands between words.
 * Nothing in it means anything to a shell, a page or a log.
 */
export function isName(value: unknown): value is string {
  return typeof value === "string" && /^[a-z0-9][a-z0-9._-]{0,31}$/.test(value);
}

/** Counted in characters as people see them typed. Undefined where it is good. */
export function passwordRefusal(password: string, name: string): PasswordRefusal | undefined {
  // What is far too long is not taken apart.
  if (password.length > 4 * PASSWORD_CHARACTERS_MAX) return "passwordTooLong";
  const { length } = Array.from(password);
  if (length > PASSWORD_CHARACTERS_MAX) return "passwordTooLong";
  if (length < PASSWORD_CHARACTERS_MIN) return "passwordTooShort";
  return password.toLowerCase() === name.toLowerCase() ? "passwordIsName" : undefined;
}
