/** A refusal of the API as RFC 9457 carries it, with the words that let any language say it. */

export interface PlacedProblem {
  /** Of the configuration: "pools.web.backends.s1.port"; empty for the document as a whole. */
  readonly path: string;
  readonly reason?: string;
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly detail: string;
  readonly mend?: string;
}

export interface ProblemDocument {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly mend?: string;
  readonly where?: string;
  readonly reason: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly exitCode?: number;
  readonly errors: readonly PlacedProblem[];
}

export class ApiProblem extends Error {
  readonly problem: ProblemDocument;
  /** What the box says to wait before the next try; undefined: nothing. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: ProblemDocument, retryAfterSeconds?: number) {
    super(problem.detail);
    this.name = "ApiProblem";
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer at all: the box, or the way to it, is gone. */
export class NoAnswer extends Error {
  constructor(cause: unknown) {
    super("no answer", { cause });
    this.name = "NoAnswer";
  }
}

/** What of an answer can be told; a body of somebody else's making is told by its status alone. */
export function problemOf(status: number, body: unknown): ProblemDocument {
  const given: Partial<ProblemDocument> = typeof body === "object" && body !== null ? body : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const mend = text(given.mend);
  const where = text(given.where);
  return {
    title: text(given.title) ?? `HTTP ${status}`,
    status,
    detail: text(given.detail) ?? text(given.title) ?? `HTTP ${status}`,
    ...(mend === undefined ? {} : { mend }),
    ...(where === undefined ? {} : { where }),
    reason: text(given.reason) ?? "unknown",
    parameters: given.parameters ?? {},
    errors: Array.isArray(given.errors) ? given.errors : [],
  };
}
