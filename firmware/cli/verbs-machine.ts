/** The verbs about the machine under a box, which do something on an image only. */
import { COMMON, none, type Verb } from "./verb.ts";

export const SSH_WORDS = ["on", "off", "status"] as const;
export type SshWord = (typeof SSH_WORDS)[number];

export const MACHINE_VERBS: readonly Verb[] = [
  {
    ...none("ssh"),
    operands: "on FILE|off|status",
    operandsMin: 1,
    operandsMax: 2,
    operandWords: SSH_WORDS,
    options: { json: COMMON.json, help: COMMON.help },
    summary: "let people with a key into the box's own system, or nobody",
    words: {
      "on FILE": "whoever has the private half of one of these public keys is root; - reads them from standard input",
      off: "nobody; who is in stays until he leaves",
      status: "who may, and the box's own key",
    },
    details:
      "Off until somebody says so, never with a password. A line of the file is a public key as `ssh-keygen` writes it. A factory reset forgets them.",
  },
];
