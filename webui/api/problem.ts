/** What went wrong as a problem document: the sentence for people, and the word and its values for programs. @see RFC 9457 */
import type { ExitCode, Refusal, Wrong } from "@futago/firmware/runtime/exit-code.ts";
import { Type } from "typebox";

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

const Parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "urn:futago:problem:REASON" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "A sentence for people." }),
    mend: Type.Optional(Type.String({ description: "What to do about it." })),
    where: Type.Optional(Type.String()),
    reason: Type.String({ description: "A stable word for programs and other languages." }),
    parameters: Parameters,
    exitCode: Type.Integer({ description: "What `futago` would end with." }),
    errors: Type.Array(
      Type.Object({
        path: Type.String(),
        reason: Type.String(),
        parameters: Parameters,
        detail: Type.String(),
        mend: Type.Optional(Type.String()),
      }),
    ),
  },
  { description: "A problem document of RFC 9457." },
);

export interface ProblemError {
  readonly path: string;
  readonly reason: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly detail: string;
  readonly mend?: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly mend?: string;
  readonly where?: string;
  readonly reason: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly exitCode: ExitCode;
  readonly errors: readonly ProblemError[];
}

const TITLES: Readonly<Record<number, string>> = {
  400: "The request cannot be understood",
  401: "Nobody is signed in",
  403: "Not allowed",
  404: "There is nothing here",
  405: "The path knows another method",
  408: "The request came too slowly",
  409: "It cannot be done now",
  412: "It was changed meanwhile",
  413: "The request is too large",
  414: "The address is too long",
  415: "The body is of another kind",
  422: "The configuration cannot be",
  428: "If-Match is needed",
  429: "Too many requests",
  431: "The headers are too large",
  500: "The web process failed",
  503: "The box is away",
};

const BY_EXIT_CODE: Readonly<Record<ExitCode, number>> = {
  0: 200,
  1: 409,
  2: 400,
  3: 422,
  4: 503,
  5: 409,
  6: 409,
};

const BY_REASON: Readonly<Record<string, number>> = {
  notSignedIn: 401,
  wrongPassword: 401,
  wrongCode: 401,
  notAllowed: 403,
  foreignOrigin: 403,
  noSuchSession: 404,
  noSuchToken: 404,
  noSuchUser: 404,
  notFound: 404,
  wrongMethod: 405,
  changedMeanwhile: 412,
  bodyTooLarge: 413,
  wrongContentType: 415,
  ifMatchNeeded: 428,
  tooManyAttempts: 429,
  tooManyRequests: 429,
  ownFault: 500,
};

const WORD_OF_EXIT_CODE: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "failed",
  2: "usage",
  3: "invalidConfiguration",
  4: "boxNotRunning",
  5: "peerNeeded",
  6: "conflict",
};

export function problemOf(refusal: Refusal): Problem {
  const reason = refusal.reason ?? WORD_OF_EXIT_CODE[refusal.exitCode];
  const status = BY_REASON[reason] ?? BY_EXIT_CODE[refusal.exitCode];
  const all: readonly Wrong[] = refusal.also === undefined ? [refusal] : [refusal, ...refusal.also];
  return {
    type: `urn:futago:problem:${reason}`,
    title: TITLES[status] ?? "It was refused",
    status,
    detail: refusal.what,
    ...(refusal.mend === undefined ? {} : { mend: refusal.mend }),
    ...(refusal.where === undefined ? {} : { where: refusal.where }),
    reason,
    parameters: refusal.parameters ?? {},
    exitCode: refusal.exitCode,
    errors: status === 422 || refusal.also !== undefined ? all.map((wrong) => errorOf(wrong, reason)) : [],
  };
}

function errorOf({ what, where, mend, reason, parameters }: Wrong, of: string): ProblemError {
  return {
    path: where ?? "",
    reason: reason ?? of,
    parameters: parameters ?? {},
    detail: what,
    ...(mend === undefined ? {} : { mend }),
  };
}

/** Seconds for Retry-After; undefined: none is to be sent. */
export function retryAfter({ status, parameters }: Problem): number | undefined {
  if (status === 503) return 1;
  if (status !== 429) return undefined;
  const { seconds } = parameters;
  return typeof seconds === "number" && seconds > 0 ? Math.ceil(seconds) : 60;
}
