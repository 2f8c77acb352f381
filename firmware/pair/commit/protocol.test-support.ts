/** A box and its peer in a few words, for the tables of the commit protocol. */
import { instant, type Instant } from "@futago/hal/units/time.ts";
import { initialCommit, step } from "./step.ts";
import type {
  CommitAction,
  CommitConfig,
  CommitInput,
  CommitMessage,
  CommitState,
  Request,
  Revision,
  RevisionSummary,
  Standing,
  Wish,
} from "./types.ts";

export const NOW = instant(1_000_000);
export const A: CommitConfig = { box: "a" };
export const B: CommitConfig = { box: "b" };

export const id = (letter: string) => letter.repeat(64);
export const summary = (
  letter: string,
  parent: string | undefined,
  more: Partial<RevisionSummary> = {},
): RevisionSummary => ({
  id: id(letter),
  parent: parent === undefined ? undefined : id(parent),
  author: "alice",
  comment: "",
  time: "2026-01-05T03:04:05.678Z",
  ...more,
});
export const revision = (
  letter: string,
  parent: string | undefined,
  more: Partial<RevisionSummary> = {},
): Revision => ({
  ...summary(letter, parent, more),
  text: `{"note":"${letter}"}`,
});
export const commit = (more: Partial<Extract<Wish, { kind: "commit" }>> = {}): Wish => ({
  kind: "commit",
  source: { kind: "given", document: "{}" },
  base: undefined,
  author: "alice",
  comment: "",
  confirmSeconds: undefined,
  ...more,
});
export const request = (wish: Wish, more: Partial<Request> = {}): CommitInput => ({
  kind: "request",
  request: { id: 7, origin: "here", wish, ...more },
});
export const heard = (message: CommitMessage): CommitInput => ({ kind: "message", message });
export const standing = (letter: string | undefined, more: Partial<Standing> = {}): Standing => ({
  head: letter === undefined ? undefined : id(letter),
  parent: undefined,
  active: false,
  automatic: false,
  confirmed: undefined,
  cannot: undefined,
  ...more,
});

/** A box whose head "1" is in force. */
export function box(head: RevisionSummary | undefined = summary("1", "0"), deadline?: Instant): CommitState {
  return { ...initialCommit(head, deadline, undefined), inForce: head?.id };
}

export interface Run {
  readonly state: CommitState;
  readonly actions: readonly CommitAction[];
}

/** What comes of several inputs at one moment; the actions are those of the last one. */
export function run(config: CommitConfig, state: CommitState, ...inputs: readonly CommitInput[]): Run {
  let last: Run = { state, actions: [] };
  for (const input of inputs) last = step(config, last.state, input, NOW);
  return last;
}

/** Linked, and both at the same head. */
export function linked(config: CommitConfig, active: boolean, state = box()): CommitState {
  const head = state.head?.id[0];
  const role: CommitInput = { kind: "role", active, peerAlive: true };
  const theirs = standing(head, { active: !active });
  return run(config, state, role, { kind: "linkUp" }, heard({ kind: "standing", standing: theirs })).state;
}

export const kinds = (actions: readonly CommitAction[]) =>
  actions.map((action) => (action.kind === "send" ? `send ${action.message.kind}` : action.kind));
export const refusalIn = (actions: readonly CommitAction[]) => {
  const reply = actions.find((action) => action.kind === "reply");
  return reply?.outcome.kind === "refused" ? reply.outcome.refusal : undefined;
};
export const doneIn = (actions: readonly CommitAction[]) => {
  const reply = actions.find((action) => action.kind === "reply");
  return reply?.outcome.kind === "done" ? reply.outcome : undefined;
};
export const judged = (one: Revision): CommitInput => ({
  kind: "judged",
  judged: { kind: "revision", revision: one, warnings: [] },
});
export const landed = (head: RevisionSummary): CommitInput => ({ kind: "landed", landed: { ok: true, head } });
export const FULL = { exitCode: 1, what: "the disk is full" };
export const notLanded: CommitInput = { kind: "landed", landed: { ok: false, refusal: FULL } };
