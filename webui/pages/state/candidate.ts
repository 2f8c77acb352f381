/** What was changed and is not in force yet, and how it comes into force. */
import { computed, effect, signal } from "@preact/signals";
import type { CandidateDiff, Committed } from "@futago/firmware/runtime/control-configuration.ts";
import { placed } from "../logic/placed.ts";
import { since, type Since } from "../logic/roll-backs.ts";
import { ApiProblem, type PlacedProblem } from "../../client/problem.ts";
import type { CommitWish } from "../../client/routes.ts";
import { connection, status } from "./live.ts";
import { api, may } from "./session.ts";

/** Undefined until it was asked for. */
export const diff = signal<CandidateDiff | undefined>(undefined);
export const candidate = signal<unknown>(undefined);
let newest = 0;

/** Asks again; an older answer that comes late is dropped. */
export async function refreshCandidate(): Promise<void> {
  const asked = ++newest;
  const [shown, edited] = await Promise.all([api.call("GET diff"), api.call("GET candidate")]);
  if (asked !== newest) return;
  diff.value = shown;
  candidate.value = edited.document;
}

const editedAt = computed(() => JSON.stringify([status.value?.editors, status.value?.revision]));

/** Follows what others change; the result ends it. */
export function followCandidate(): () => void {
  return effect(() => {
    if (editedAt.value !== undefined && connection.value === "live" && may("read")) {
      refreshCandidate().catch(() => undefined);
    }
  });
}

/** The candidate is there, and cannot be committed as it is. */
export class Unfit extends Error {
  readonly problems: readonly PlacedProblem[];

  constructor(problems: readonly PlacedProblem[]) {
    super("the candidate cannot be committed");
    this.name = "Unfit";
    this.problems = problems;
  }
}

const triesMax = 3;

/** Puts `change` of the candidate in the candidate's place; somebody else's change in between is kept. */
export async function changeDocument(change: (document: unknown) => unknown): Promise<void> {
  for (let tried = 1; ; tried++) {
    const { answer, etag } = await api.whole("GET candidate");
    try {
      await api.call("PUT candidate", {
        body: change(answer.document),
        ...(etag === undefined ? {} : { ifMatch: etag }),
      });
      break;
    } catch (error) {
      const isLate = error instanceof ApiProblem && error.problem.status === 412;
      if (!isLate || tried === triesMax) throw error;
    }
  }
  await refreshCandidate();
}

export async function discard(force: boolean): Promise<void> {
  await api.call("DELETE candidate", { query: { force } });
  await refreshCandidate();
}

export async function commit(wish: CommitWish): Promise<Committed> {
  const committed = await api.call("POST commit", { body: wish });
  await refreshCandidate().catch(() => undefined);
  return committed;
}

/** Changes the candidate and puts it into force, or says what is wrong with it. */
export async function changeAndCommit(
  change: (document: unknown) => unknown,
  wish: () => CommitWish,
): Promise<Committed> {
  await changeDocument(change);
  const problems = diff.value?.problems ?? [];
  if (problems.length > 0) throw new Unfit(problems.map(placed));
  return await commit(wish());
}

/** `force`: although somebody else committed it. */
export async function confirm(revision: string, force = false): Promise<void> {
  await api.call("POST confirm", { body: { revision, force } });
}

const sinceMax = 20;

/** What came after the revision `id`, as the box answers. */
export async function askSince(id: string): Promise<Since> {
  return since(id, await api.call("GET history", { query: { limit: sinceMax } }));
}
