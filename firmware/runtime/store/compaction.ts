/**
 * How much of the past is kept, and in which form. The newest documents stay as they are; older ones are packed, which
 * keeps them whole at a few hundred bytes each, and go only at a bound that few boxes ever reach. A revision whose
 * document is gone cannot be brought back, but its id and parent still tell which of two boxes is behind. Pure.
 */
import type { StoredDocument } from "./documents.ts";

export const REVISIONS_MAX = 10_000;
/** Of all documents, on the disk. Each start reads them all. */
export const DOCUMENT_BYTES_MAX = 32 << 20;
/** The same while some of them can still be packed, which may make room for all. */
const UNPACKED_BYTES_MAX = 256 << 20;
/** Of documents that are not packed. */
export const FRESH_MAX = 32;
export const FRESH_BYTES_MAX = 4 << 20;
/** Fewer wait for the next time, so that not each commit is followed by another writing. */
export const PACK_MIN = 16;

export interface StoredRevision {
  readonly number: number;
  readonly id: string;
  /** Undefined when it is gone. */
  readonly document: StoredDocument | undefined;
}

export interface ToPack {
  readonly number: number;
  /** The next older revision with a document, which it may have much in common with. */
  readonly after: number | undefined;
}

export interface Compaction {
  /** The oldest first. */
  readonly pack: readonly ToPack[];
  /** Numbers of revisions that lose their document. */
  readonly documents: readonly number[];
  /** Numbers of revisions that go altogether. */
  readonly revisions: readonly number[];
}

/** `stored` is all there is, the newest first; `spared` are ids that stay as they are however old. */
export function compaction(stored: readonly StoredRevision[], spared: ReadonlySet<unknown>): Compaction {
  const loose = tooLoose(stored.slice(0, REVISIONS_MAX), spared);
  const tooOld = beyondBounds(stored, spared, loose.length > 0 ? UNPACKED_BYTES_MAX : DOCUMENT_BYTES_MAX);
  const gone = new Set(tooOld.map(({ number }) => number));
  const pack = loose.filter(({ number }) => !gone.has(number));
  const revisions = tooOld.filter(({ age }) => age >= REVISIONS_MAX).map(({ number }) => number);
  const documents = tooOld.filter(({ hasDocument }) => hasDocument).map(({ number }) => number);
  return { pack, documents, revisions };
}

interface TooOld {
  readonly number: number;
  readonly age: number;
  readonly hasDocument: boolean;
}

/** A base outlives what is packed against it, and takes the bounds beyond by itself at most. */
function beyondBounds(
  stored: readonly StoredRevision[],
  spared: ReadonlySet<unknown>,
  bytesMax: number,
): readonly TooOld[] {
  let bytes = 0;
  const beyond: TooOld[] = [];
  const needed = new Set<number>();
  for (const [age, { number, id, document }] of stored.entries()) {
    bytes += document?.bytes ?? 0;
    const over = age >= REVISIONS_MAX || (document !== undefined && bytes > bytesMax);
    if (over && !spared.has(id)) beyond.push({ number, age, hasDocument: document !== undefined });
    else if (document !== undefined && document.base !== null) needed.add(document.base);
  }
  return beyond.filter(({ number }) => !needed.has(number));
}

function tooLoose(stored: readonly StoredRevision[], spared: ReadonlySet<unknown>): readonly ToPack[] {
  let [fresh, freshBytes] = [0, 0];
  const loose = new Set<number>();
  for (const { id, document } of stored) {
    if (document === undefined || document.packed) continue;
    fresh++;
    freshBytes += document.bytes;
    if ((fresh > FRESH_MAX || freshBytes > FRESH_BYTES_MAX) && !spared.has(id)) loose.add(document.number);
  }
  if (loose.size < PACK_MIN && freshBytes <= FRESH_BYTES_MAX) return [];
  const numbers = stored.flatMap(({ number, document }) => (document === undefined ? [] : [number])).toReversed();
  return numbers.flatMap((number, i) => (loose.has(number) ? [{ number, after: numbers[i - 1] }] : []));
}
