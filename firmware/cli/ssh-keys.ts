/** Public keys as OpenSSH writes them. Pure. */

export interface PublicKey {
  readonly line: string;
  readonly kind: string;
  readonly blob: string;
  /** What the owner wrote behind it; "" where there is nothing. */
  readonly comment: string;
}

/** No options before it: what a key may do is not decided in a file that somebody brought. */
const KEY =
  /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) ([A-Za-z0-9+/]{60,2048}={0,2})(?: ([ -~]{0,200}))?$/;

/** The line that is no public key is in `wrong`, beginning with 1; undefined for a file without any. */
export function readPublicKeys(
  text: string,
): { readonly keys: readonly PublicKey[] } | { readonly wrong: number | undefined } {
  const keys: PublicKey[] = [];
  for (const [i, written] of text.split("\n").entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, kind = "", blob = "", comment = ""] = KEY.exec(line) ?? [];
    // The kind stands in the blob, too: a cut line has another beginning or none.
    if (kind === "" || !blob.startsWith(beginning(kind))) return { wrong: i + 1 };
    keys.push({ line, kind, blob, comment });
  }
  return keys.length === 0 ? { wrong: undefined } : { keys };
}

/** Length and text of the kind in base64, of which the last letters depend on what follows. */
function beginning(kind: string): string {
  const bytes = String.fromCharCode(0, 0, 0, kind.length) + kind;
  const whole = bytes.slice(0, bytes.length - (bytes.length % 3));
  return btoa(whole);
}
