/**
 * JSON that is made a piece at a time: the answer about a large box is tens of megabytes, and whoever makes it at once
 * holds up everything else that long.
 */

/** A value whose text is made while it is sent. What it yields, joined, is one JSON value. */
export class JsonInPieces {
  readonly pieces: Iterable<string>;

  constructor(pieces: Iterable<string>) {
    this.pieces = pieces;
  }
}

/** A list, of which some items are made at a time. */
export function* listInPieces(items: Iterable<readonly unknown[]>): Generator<string> {
  let before = "[";
  for (const some of items) {
    if (some.length === 0) {
      // A step all the same: whoever sends may rest.
      yield "";
      continue;
    }
    yield before + some.map((item) => JSON.stringify(item)).join(",");
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}

/** An object with one more field, which is made in pieces. `name` is not among the fields of `head`. */
export function* objectInPieces(head: object, name: string, pieces: Iterable<string>): Generator<string> {
  const text = JSON.stringify(head);
  yield `${text.slice(0, -1)}${text === "{}" ? "" : ","}${JSON.stringify(name)}:`;
  yield* pieces;
  yield "}";
}
