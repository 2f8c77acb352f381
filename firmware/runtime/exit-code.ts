/** How a `futago` command ends. Scripts rely on these numbers. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  invalidConfiguration: 3,
  boxNotRunning: 4,
  peerNeeded: 5,
  conflict: 6,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A refusal in words a tired person can act on: what is wrong, where, and how to mend it. */
export interface Refusal {
  readonly exitCode: ExitCode;
  readonly what: string;
  readonly where?: string;
  readonly mend?: string;
  /** A stable word for programs and other languages, such as a problem's code; the values of its sentence beside it. */
  readonly reason?: string;
  readonly parameters?: Readonly<Record<string, string | number>>;
  /** What else is wrong, when one look found more. */
  readonly also?: readonly Wrong[];
}

/** One of several things that are wrong. */
export type Wrong = Pick<Refusal, "what" | "where" | "mend" | "reason" | "parameters">;

/** Carries a refusal to the place that prints it and ends the process. */
export class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(formatRefusal(refusal));
    this.name = "RefusalError";
    this.refusal = refusal;
  }
}

/** "WHERE: WHAT" and, on a second line, how to mend it. */
export function formatRefusal(refusal: Refusal): string {
  return [refusal, ...(refusal.also ?? [])].map(formatOne).join("\n");
}

function formatOne(refusal: Wrong): string {
  const place = refusal.where === undefined || refusal.where === "" ? "" : `${refusal.where}: `;
  return `${place}${refusal.what}${refusal.mend === undefined ? "" : `\n  ${refusal.mend}`}`;
}
