/** The verbs that keep a box in a file. */
import { COMMON, none, type Verb } from "./verb.ts";

const PASSPHRASE = {
  "passphrase-file": { type: "string", value: "FILE", help: "its first line is the passphrase; else you are asked" },
} as const;

export const BACKUP_VERBS: readonly Verb[] = [
  {
    ...none("backup"),
    operands: "FILE",
    operandsMin: 1,
    operandsMax: 1,
    options: {
      ...COMMON,
      ...PASSPHRASE,
      force: { type: "boolean", help: "in place of a file that is there" },
    },
    summary: "write the box into a file that only its passphrase opens",
    details:
      "In it are the configuration in force, the letter, the pairing with its keys, maintenance and drains, the users, the tokens and the certificate of the web UI. Works on a box that runs and on the state directory of one that does not. `age -d FILE | zstd -d` shows what is in it.",
  },
  {
    ...none("restore"),
    operands: "FILE",
    operandsMin: 1,
    operandsMax: 1,
    options: {
      ...COMMON,
      ...PASSPHRASE,
      map: { type: "string", value: "OLD=NEW,…", help: "devices that have other names on this box" },
      force: { type: "boolean", help: "although somebody uses the addresses that this box would have" },
      replace: { type: "boolean", help: "where no box runs: although there is one in the state directory" },
    },
    summary: "make a box of what `futago backup` wrote",
    details:
      "A box without a configuration becomes the one that was backed up, with its letter and its peer. On a box that has one the backup's configuration is committed, and all else stays. Exit code 3 when this box has not the devices,\n6 when the box that was backed up is still there: the network is asked first.",
  },
];
