/** A few addresses of 16 bytes, found in the bytes of a record without making anything. */
import { ADDRESS_BYTES, viewOf } from "@futago/hal/units/flow-record.ts";

export class AddressSet {
  /** All addresses, end to end. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** By the last word: where in `bytes` addresses with it stand. */
  readonly #places = new Map<number, number[]>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
    for (let at = 0; at + ADDRESS_BYTES <= bytes.length; at += ADDRESS_BYTES) {
      const word = this.#view.getUint32(at + 12);
      const places = this.#places.get(word);
      if (places === undefined) this.#places.set(word, [at]);
      else places.push(at);
    }
  }

  get size(): number {
    return this.bytes.length / ADDRESS_BYTES;
  }

  has(view: DataView, at: number): boolean {
    const places = this.#places.get(view.getUint32(at + 12));
    if (places === undefined) return false;
    return places.some((place) => sameAddress(this.#view, place, view, at));
  }
}

export function sameAddress(a: DataView, aAt: number, b: DataView, bAt: number): boolean {
  for (let i = 0; i < ADDRESS_BYTES; i += 4) if (a.getUint32(aAt + i) !== b.getUint32(bAt + i)) return false;
  return true;
}
