/** What the control socket's methods about the configuration do. */
import type { CommitOptions, ConfigurationMethods } from "../../control-configuration.ts";
import type { Candidate } from "../candidate/candidate.ts";
import type { Commits, CommitWish } from "../commit/commits.ts";
import type { ControlHandlers } from "./control-server.ts";
import { badParameter, checkedQuery } from "./handlers.ts";
import { changesAnswer, configAnswer, historyAnswer } from "./large-answers.ts";

const AUTHOR_LENGTH_MAX = 64;
const COMMENT_LENGTH_MAX = 1_000;
/** A day: who confirms later than that was not cut off by the change. */
const CONFIRM_SECONDS_MAX = 86_400;
const HISTORY_DEFAULT = 20;
const COMMIT = { author: "text", comment: "text", confirmSeconds: "count" } as const;

export function configurationHandlers(
  commits: Commits,
  candidate: Candidate,
): Pick<ControlHandlers, keyof ConfigurationMethods> {
  return {
    config: async (query) => {
      const { revision, candidate: ofCandidate } = checkedQuery(query, { revision: "text", candidate: "flag" });
      if (ofCandidate === true) return configAnswer(candidate.present.base, candidate.present.text);
      const { id, text } = await commits.revision(revision);
      return configAnswer(id, text);
    },
    apply: ({ document, ...options }) =>
      commits.commit({ ...wish(options, "config apply"), document, base: undefined }),
    set: async (params) => {
      const { path, value, author } = checkedQuery(params, { path: "text", value: "text", author: "text" });
      if (path === undefined || value === undefined) throw badParameter("path and value are needed");
      return changesAnswer(await candidate.change({ kind: "set", path, value }, checkedAuthor(author)));
    },
    delete: async (params) => {
      const { path, author } = checkedQuery(params, { path: "text", author: "text" });
      if (path === undefined) throw badParameter("path is needed");
      return changesAnswer(await candidate.change({ kind: "delete", path }, checkedAuthor(author)));
    },
    edit: async (params) => {
      const kinds = { document: "text", was: "text", author: "text", anyway: "flag" } as const;
      const { document, was, author, anyway } = checkedQuery(params, kinds);
      if (document === undefined || was === undefined) throw badParameter("document and was are needed");
      return changesAnswer(await candidate.replace(document, was, checkedAuthor(author), anyway));
    },
    diff: async () => changesAnswer(await candidate.diff()),
    discard: (params) => {
      const { author, force } = checkedQuery(params, { author: "text", force: "flag" });
      return candidate.discard(checkedAuthor(author), force);
    },
    commit: (params) => {
      const { author, comment, confirmSeconds } = wish(params, "");
      return candidate.commit({ author, comment, ...(confirmSeconds === undefined ? {} : { confirmSeconds }) });
    },
    confirm: (params) => {
      const { revision, author, force } = checkedQuery(params, { revision: "text", author: "text", force: "flag" });
      return commits.confirm(revision, checkedAuthor(author), force);
    },
    rollback: ({ to, ...options }) => {
      if (typeof to !== "string") throw badParameter("to is a revision");
      return commits.rollback(to, wish(options, ""));
    },
    history: async (query) => {
      const { limit = HISTORY_DEFAULT, before } = checkedQuery(query, { limit: "count", before: "text" });
      return historyAnswer(await commits.history(Math.floor(limit), before));
    },
  };
}

function wish(options: CommitOptions, usualComment: string): Omit<CommitWish, "document" | "base"> {
  const { author, comment, confirmSeconds } = checkedQuery(options, COMMIT);
  if (confirmSeconds !== undefined && confirmSeconds > CONFIRM_SECONDS_MAX) {
    throw badParameter(`confirmSeconds is at most ${CONFIRM_SECONDS_MAX}`);
  }
  const words = (comment ?? usualComment).slice(0, COMMENT_LENGTH_MAX);
  return { author: checkedAuthor(author), comment: words, confirmSeconds: confirmSeconds && Math.ceil(confirmSeconds) };
}

/** Whoever writes to the socket by hand may leave anything away. */
function checkedAuthor(author: string | undefined): string {
  if (author === undefined || author === "") throw badParameter("author is a name");
  return author.slice(0, AUTHOR_LENGTH_MAX);
}
