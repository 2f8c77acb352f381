/**
 * `/.well-known/security.txt`: whom to tell of a hole in the software. Whoever publishes images says so in a file beside the
 * software, a URI a line; a box whose image has none says nothing. @see RFC 9116
 */
import { readFileSync } from "node:fs";

const CONTACTS = new URL("../../security-contact", import.meta.url);
const IMAGE = new URL("../../image.json", import.meta.url);
/** What was true of a version a year ago may not be so any more (§2.5.5). */
const GOOD_MILLIS = 365 * 86_400_000;

/** Undefined where there is nobody to tell. */
export function readSecurityTxt(contacts: URL = CONTACTS, image: URL = IMAGE): string | undefined {
  const [named, made] = [readText(contacts), readText(image)];
  if (named === undefined || made === undefined) return undefined;
  return securityTxt(named, (JSON.parse(made) as { readonly time: number | string }).time);
}

/** `made`: when the image was made, in seconds since 1970 or as RFC 3339. */
export function securityTxt(contacts: string, made: number | string): string | undefined {
  const uris = contacts.split("\n").filter((line) => /^(https|mailto|tel):[!-~]+$/.test(line));
  const at = typeof made === "number" ? made * 1_000 : Date.parse(made);
  if (uris.length === 0 || !Number.isFinite(at)) return undefined;
  const expires = new Date(at + GOOD_MILLIS).toISOString();
  return [...uris.map((uri) => `Contact: ${uri}`), `Expires: ${expires}`, "Preferred-Languages: en, ja", ""].join("\n");
}

function readText(place: URL): string | undefined {
  try {
    return readFileSync(place, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}
