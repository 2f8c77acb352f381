/** What goes along with a backup file that is restored. */

/** "eth0=enp1s0, eth1=enp2s0" as a map; pieces that are no such pair are left to be refused by the box. */
export function deviceMap(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text
      .split(",")
      .map((piece) => piece.trim())
      .filter((piece) => piece !== "")
      .map((piece) => {
        const [from = "", to = ""] = piece.split("=").map((part) => part.trim());
        return [from, to];
      }),
  );
}

/** Of the UTF-8 bytes: a header carries no other letters. */
export function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
