import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CONNECTION_BROKE } from "../../../pair/commit/refusals.ts";
import type { Outcome, Revision, RevisionSummary } from "../../../pair/commit/types.ts";
import { refusal } from "../../refused.test-support.ts";
import { PairCommits } from "./commits.ts";
import type { Past } from "./named-revision.ts";

const revision = (id: string, parent: string | undefined, more: Partial<RevisionSummary> = {}): RevisionSummary => ({
  id,
  parent,
  author: "alice",
  comment: "",
  time: "2026-01-01T00:00:00.000Z",
  ...more,
});

let head: RevisionSummary | undefined;
let outcome: Outcome;
/** What this box has of revisions. */
let documents: ReadonlyMap<string, Revision>;

const commits = new PairCommits({
  committer: {
    get head() {
      return head;
    },
    request: () => Promise.resolve(outcome),
  },
  past: { get: (id: string) => Promise.resolve(documents.get(id)) } as Pick<Past, "get"> as Past,
  box: "b",
});
const wish = { document: '{"b":1,"a":2}', base: undefined, author: "alice", comment: "", confirmSeconds: undefined };

beforeEach(() => {
  vi.useFakeTimers();
  head = revision("1", undefined);
  outcome = { kind: "refused", refusal: CONNECTION_BROKE };
});
afterEach(() => vi.useRealTimers());

/** What comes of it when this box's head is another one a second later. */
async function committed(next: RevisionSummary, text = '{"a":2,"b":1}') {
  documents = new Map([[next.id, { ...next, text }]]);
  const answer = commits.commit(wish).then(
    (value) => ({ value }),
    async (error: unknown) => ({ refused: await refusal(Promise.reject(error as Error)) }),
  );
  await vi.advanceTimersByTimeAsync(1_000);
  head = next;
  await vi.advanceTimersByTimeAsync(10_000);
  return answer;
}

describe("a change that the active box made, and could not answer", () => {
  it("is told as made when this box gets it", async () => {
    expect(await committed(revision("2", "1"))).toMatchObject({
      value: {
        revision: "2",
        changed: true,
        confirmBy: null,
        remarks: [expect.stringContaining("the change was made")],
      },
    });
  });

  it.each([
    ["nothing comes", revision("1", undefined)],
    ["somebody else's comes", revision("2", "1", { author: "bob" })],
    ["another of the same person's comes", revision("2", "1", { comment: "weights" })],
    ["one comes that must be confirmed", revision("2", "1", { confirmSeconds: 30 })],
    ["it is no child of what was in force", revision("3", "2")],
  ])("is not taken for made when %s", async (_, next) => {
    expect(await committed(next)).toMatchObject({ refused: { what: CONNECTION_BROKE.what } });
  });

  it("is not taken for made when the same person committed another document there", async () => {
    expect(await committed(revision("2", "1"), '{"a":3}')).toMatchObject({ refused: { what: CONNECTION_BROKE.what } });
  });

  it("is not waited for where the active box said why not", async () => {
    outcome = { kind: "refused", refusal: { exitCode: 6, what: "another change was committed in between" } };
    expect(await committed(revision("2", "1"))).toMatchObject({ refused: { exitCode: 6 } });
  });
});
