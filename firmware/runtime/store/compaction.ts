/**
 * How much of the past is kept. A document that is too old is dropped, and its revision with it from what can be
 * brought back; the rest of the revision stays far longer, because ids and parents tell which of two boxes is behind.
 * Pure.
 */

/** Documents of the usual size are a few kilobytes; the largest are tens of megabytes, and each start reads them all. */
export const DOCUMENTS_MAX = 100;
export const DOCUMENT_BYTES_MAX = 32 << 20;
export const REVISIONS_MAX = 10_000;

export interface StoredRevision {
  readonly number: number;
  readonly id: string;
  /** Of its document; 0 when that was dropped. */
  readonly bytes: number;
}

export interface TooOld {
  /** Numbers of revisions that lose their document. */
  readonly documents: readonly number[];
  /** Numbers of revisions that go altogether. */
  readonly revisions: readonly number[];
}

/** `stored` is all there is, the newest first; `spared` are ids that stay whole however old they are. */
export function tooOld(stored: readonly StoredRevision[], spared: ReadonlySet<unknown>): TooOld {
  let [documentsLeft, bytesLeft] = [DOCUMENTS_MAX, DOCUMENT_BYTES_MAX];
  const documents: number[] = [];
  const revisions: number[] = [];
  for (const [age, { number, id, bytes }] of stored.entries()) {
    const isSpared = spared.has(id);
    if (bytes > 0) {
      documentsLeft--;
      bytesLeft -= bytes;
    }
    if (isSpared) continue;
    if (age >= REVISIONS_MAX) revisions.push(number);
    else if (bytes > 0 && (documentsLeft < 0 || bytesLeft < 0)) documents.push(number);
  }
  return { documents, revisions };
}
