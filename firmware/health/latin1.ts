/** Characters made with one call: engines bound the arguments of a call. */
const PIECE = 8_192;

/** The bytes as text with one character each, which can be searched and measured like the bytes themselves. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= PIECE) return String.fromCharCode(...bytes);
  let text = "";
  for (let i = 0; i < bytes.length; i += PIECE) text += String.fromCharCode(...bytes.subarray(i, i + PIECE));
  return text;
}
