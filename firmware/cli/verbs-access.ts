/** The verbs about who may use the web UI and the API. */
import { COMMON, none, type Verb } from "./verb.ts";

export const USER_WORDS = ["list", "add", "set", "delete"] as const;
export const TOKEN_WORDS = ["list", "create", "revoke"] as const;
export const SESSION_WORDS = ["list", "end"] as const;

export const ACCESS_VERBS: readonly Verb[] = [
  {
    ...none("web"),
    summary: "where the web UI is, how to know it, and the code that claims the box",
    details:
      "The fingerprint is that of the certificate which the browser asks about. The code makes the first user, an admin, and is there until somebody has an account.",
  },
  {
    ...none("user"),
    operands: "list|add NAME|set NAME|delete NAME",
    operandsMin: 1,
    operandsMax: 2,
    operandWords: USER_WORDS,
    options: {
      ...COMMON,
      role: { type: "string", value: "ROLE", help: "add, set: viewer, operator or admin" },
      "password-file": { type: "string", value: "FILE", help: "add, set: its first line is the password" },
    },
    summary: "who may use the web UI and the API, on both boxes",
    words: {
      list: "who there is",
      "add NAME": "somebody more; needs --role, and asks for the password twice",
      "set NAME": "another role with --role, else another password, which is asked for twice",
      "delete NAME": "not the last admin",
    },
    details:
      "A viewer sees, an operator changes and runs the pair, an admin decides who may and what the box is. Another role or password ends the user's sessions.",
  },
  {
    ...none("token"),
    operands: "list|create NAME|revoke ID",
    operandsMin: 1,
    operandsMax: 2,
    operandWords: TOKEN_WORDS,
    options: {
      ...COMMON,
      scope: {
        type: "string",
        multiple: true,
        value: "SCOPE",
        help: "create: metrics, read, operate, configure or admin; more than one with commas, or said again",
      },
      expires: { type: "string", value: "TIME", help: "create: 90d, 12h, or a time such as 2027-01-31T00:00:00Z" },
    },
    summary: "tokens by which programs use the API",
    words: {
      list: "which there are",
      "create NAME": "prints the token, which is told once",
      "revoke ID": "it opens nothing any more",
    },
    details: "A token has the scopes that it was given and no other: read does not come with operate.",
  },
  {
    ...none("session"),
    operands: "list|end ID",
    operandsMin: 1,
    operandsMax: 2,
    operandWords: SESSION_WORDS,
    summary: "who is signed in, on both boxes",
    words: { list: "everybody who is", "end ID": "signs one of them out" },
    details: "",
  },
  {
    ...none("audit"),
    options: {
      ...COMMON,
      limit: { type: "string", value: "N", help: "how many to print (default 100)" },
      before: { type: "string", value: "TIME", help: "only what is older" },
    },
    summary: "who changed what from where, on both boxes, the newest first",
    details: "Each box keeps about ten thousand entries. What was asked on the box itself is from console.",
  },
];
