/** The verbs of the command line: what each takes and says of itself. */
import { COMMON, none, type Verb } from "./verb.ts";
import { ACCESS_VERBS } from "./verbs-access.ts";
import { BACKUP_VERBS } from "./verbs-backup.ts";
import { UPDATE_VERB } from "./verb-update.ts";
import { CONFIGURATION_VERBS } from "./verbs-configuration.ts";
import { MACHINE_VERBS } from "./verbs-machine.ts";

export const SHOWN = ["config", "boxes", "services", "flows", "health", "neighbours", "why", "log"] as const;
export type Shown = (typeof SHOWN)[number];
export const PAIR_WORDS = ["invite", "join", "status", "yes", "no", "cancel", "rotate", "unpair"] as const;
export type PairWord = (typeof PAIR_WORDS)[number];
export const SPARE_WORDS = ["activate", "release"] as const;
export type SpareWord = (typeof SPARE_WORDS)[number];
export const ROLES = ["active", "standby", "spare", "maintenance", "fault", "alone"] as const;

const FORCE_END = { type: "boolean", help: "also when this box is active and nobody can take over" } as const;
const ASKED_DETAILS =
  "HOST is an address or a name; loopback, link-local, multicast and broadcast addresses and those of the pair itself are refused. Asked by ICMP echo.";
const POWER_DETAILS =
  "Exit code 5 when this box is active and the peer cannot take over. Where the box is no appliance of its own, only `futago run` ends; it says so on standard output.";

export const VERBS: readonly Verb[] = [
  {
    ...none("run"),
    options: {
      state: COMMON.state,
      help: COMMON.help,
      box: { type: "string", value: "a|b", help: "which of the pair's two boxes this is" },
      import: {
        type: "string",
        value: "FILE",
        help: "take this configuration document, if it differs from the one held",
      },
      "pair-key": {
        type: "string",
        value: "FILE",
        help: "the pair's key: 64 hexadecimal digits, the same on both boxes",
      },
      web: {
        type: "string",
        value: "ADDR:PORT",
        help: "where the web UI and the API listen: [::]:443, 0.0.0.0:8443, or :8443 for every address",
      },
      power: {
        type: "string",
        value: "PROGRAM",
        help: "called with the word reboot or poweroff once the box has ended by that order",
      },
      system: {
        type: "string",
        value: "DIR",
        help: "the machine is this box's alone: name its ports and itself, and remember them here",
      },
      updater: { type: "string", value: "SOCKET", help: "where the updater of the machine's two slots is asked" },
      "update-pace": {
        type: "string",
        value: "PROVE,WATCH",
        help: "for so many seconds a new version is proved, and watched while it serves: 120,60",
      },
      board: {
        type: "string",
        value: "auto|FILE",
        help: "feed the machine's watchdog, drive its lights and listen to its button, as this board's description says",
      },
    },
    summary: "run a whole box here, in the foreground",
    details:
      'Runs in the present network namespace until SIGTERM or Ctrl-C, then hands over and cleans up. Prints {"event":"ready"} on standard output when the box is up; logs go to standard error. A second signal forces the end.',
  },
  {
    ...none("status"),
    options: { ...COMMON, watch: { type: "boolean", short: "w", help: "go on printing at every change" } },
    summary: "what this box does now, and its peer",
    details: "Exit code 4 when no box runs in the state directory.",
  },
  {
    ...none("wait"),
    options: {
      ...COMMON,
      role: { type: "string", value: "ROLE", help: `the role to wait for: ${ROLES.join(", ")}` },
      timeout: { type: "string", value: "SECONDS", help: "give up after so long (default 30)" },
    },
    summary: "wait until the box has a role",
    details: "Exit code 0 when it has the role, 1 when the time is over, 4 when no box ran by then.",
  },
  {
    ...none("show"),
    operands: SHOWN.join("|"),
    operandsMin: 1,
    operandsMax: 1,
    operandWords: SHOWN,
    options: {
      ...COMMON,
      service: { type: "string", value: "SERVICE", help: "services, health, flows: only of this service" },
      client: { type: "string", value: "ADDRESS", help: "flows: only of this client" },
      backend: { type: "string", value: "POOL/BACKEND", help: "flows: only to this backend" },
      limit: { type: "string", value: "N", help: "flows: how many to print (default 50)" },
      revision: { type: "string", value: "N|ID", help: "config: an older one, N steps back or by how its id begins" },
      candidate: { type: "boolean", help: "config: as it would be after `futago commit`" },
    },
    summary: "one part of the box in detail",
    words: {
      config: "the configuration in force, as one JSON document",
      boxes: "both boxes with their ports, and whether the pair would survive the next failure",
      services: "the services with their backends, what they carried, and what was dropped and why",
      flows: "the connections that the balancer knows, the newest first",
      health: "every check, its newest answer and why",
      neighbours: "the kernel's neighbour table",
      why: "why the roles are as they are: what happened on both boxes, in one line of time",
      log: "the newest log lines",
    },
    details: "",
  },
  ...CONFIGURATION_VERBS,
  {
    ...none("pair"),
    operands: "invite|join CODE|status|yes|no|cancel|rotate|unpair",
    operandsMin: 1,
    operandsMax: 2,
    operandWords: PAIR_WORDS,
    options: { ...COMMON, replace: { type: "boolean", help: "give up a peer, or a configuration, that is there" } },
    summary: "make a pair of two boxes that share a cable",
    words: {
      invite: "show a code, valid for ten minutes; then the digits to compare with the other box's",
      "join CODE": "find the box that shows the code, take its configuration; then the digits",
      status: "whose peer this box is, and how far a pairing is",
      "yes, no": "say from another terminal whether the digits are the same",
      cancel: "end a pairing that is under way",
      rotate: "new keys and certificates on both boxes, while they serve",
      unpair: "be alone again",
    },
    details:
      "Exit code 1 when it came to nothing, 6 when there is a peer or a configuration that --replace must give up.",
  },
  {
    ...none("switchover"),
    options: { ...COMMON, group: { type: "string", value: "GROUP", help: "only this failover group" } },
    summary: "let the two boxes change roles, losing nothing",
    details: "Exit code 5 when the peer cannot take over, 6 when a hand-over is under way already.",
  },
  {
    ...none("maintenance"),
    operands: "on|off",
    operandsMin: 1,
    operandsMax: 1,
    operandWords: ["on", "off"],
    summary: "keep this box from holding a role, or end that",
    details: "The peer takes over first. Maintenance survives a reboot.",
  },
  {
    ...none("locate"),
    operands: "on|off",
    operandsMin: 1,
    operandsMax: 1,
    operandWords: ["on", "off"],
    summary: "let the lights of this box blink, so that somebody finds it",
    details: "Ends by itself after an hour.",
  },
  {
    ...none("reboot"),
    options: { ...COMMON, force: FORCE_END },
    summary: "let the peer take over, then start the box anew",
    details: POWER_DETAILS,
  },
  {
    ...none("poweroff"),
    options: { ...COMMON, force: FORCE_END },
    summary: "let the peer take over, then switch the box off",
    details: POWER_DETAILS,
  },
  {
    ...none("factory-reset"),
    options: {
      ...COMMON,
      yes: { type: "boolean", help: "without asking" },
      force: { type: "boolean", help: "without asking, and although nobody can take over from this box" },
    },
    summary: "forget everything, as if the box came out of its carton",
    details:
      "The configuration with its whole history, what is edited, the settings, the users and the pairing are gone, and only a backup file brings them back. The peer takes over first, and is told that it has no peer any more. Asks at a terminal; a script says --yes. Exit code 5 when this box is active and the peer cannot take over.",
  },
  {
    ...none("spare"),
    operands: "activate|release",
    operandsMin: 1,
    operandsMax: 1,
    operandWords: SPARE_WORDS,
    options: { ...COMMON, force: { type: "boolean", help: "against what the other box says, or does not say" } },
    summary: "cold standby: let this box serve, or let it give up",
    words: {
      activate:
        "makes sure that the other box is dark: opens the ports without an address and asks for a second whether anybody has one of the virtual addresses; then this box serves",
      release: "the active box gives up and becomes the spare, so that the other one may be activated",
    },
    details: "Exit code 6 when the other box serves or somebody answers, 5 when nobody could take over from this one.",
  },
  {
    ...none("drill"),
    operands: "[report]",
    operandsMax: 1,
    operandWords: ["report"],
    options: {
      ...COMMON,
      return: { type: "boolean", help: "let the roles go back at the end, however it went" },
      kill: { type: "boolean", help: "kill the active box's processes instead of handing over" },
    },
    summary: "try for real whether the other box takes over, and measure it",
    details:
      "Both boxes probe every virtual address a thousand times a second while the roles change. The roles go back by themselves when it was worse than allowed: no probe may be lost; after --kill the dead time and 50 ms may pass.\nBoth boxes keep the result; `drill report` prints it as a page. Exit code 1 when it was worse than allowed, 5 without a peer that could take over, 6 while the pair is not whole.",
  },
  {
    ...none("drain"),
    operands: "BACKEND",
    operandsMin: 1,
    operandsMax: 1,
    options: {
      ...COMMON,
      "until-idle": { type: "boolean", help: "wait until the backend has no connection left" },
      timeout: { type: "string", value: "SECONDS", help: "wait no longer than this (default 600); the drain stays" },
    },
    summary: "let a backend keep its connections and get no new ones",
    details:
      "BACKEND is POOL/BACKEND, or a backend's name where no other pool has one of that name. The drain survives a restart and ends with `futago undrain`. Exit code 1 when the time of --until-idle is over.",
  },
  {
    ...none("undrain"),
    operands: "BACKEND",
    operandsMin: 1,
    operandsMax: 1,
    summary: "let a backend get new connections again",
    details: "BACKEND is POOL/BACKEND, or a backend's name where no other pool has one of that name.",
  },
  {
    ...none("trace"),
    operands: "CLIENT[:PORT] SERVICE",
    operandsMin: 2,
    operandsMax: 2,
    summary: "where a packet of a client would go, and why",
    details:
      "CLIENT is an address, with the client's port when one connection is meant: 198.51.100.7:40000, [2001:db8::7]:40000.\nNothing is sent: the answer is worked out from the tables that the balancer uses.",
  },
  {
    ...none("ping"),
    operands: "HOST",
    operandsMin: 1,
    operandsMax: 1,
    options: {
      ...COMMON,
      count: { type: "string", short: "c", value: "N", help: "end after so many requests (default 4, at most 100)" },
    },
    summary: "whether the box reaches a host, and in which time",
    details: `${ASKED_DETAILS} Exit code 1 when nothing was answered.`,
  },
  {
    ...none("traceroute"),
    operands: "HOST",
    operandsMin: 1,
    operandsMax: 1,
    summary: "the routers between the box and a host",
    details: `${ASKED_DETAILS} Exit code 1 when the host did not answer.`,
  },
  {
    ...none("capture"),
    options: {
      ...COMMON,
      service: { type: "string", value: "SERVICE", help: "only packets of this service" },
      client: { type: "string", value: "ADDRESS", help: "only packets of this client" },
      count: { type: "string", value: "N", help: "end after so many packets (default 1000)" },
      seconds: { type: "string", value: "S", help: "end after so long (default 60)" },
      snap: { type: "string", value: "BYTES", help: "keep so much of each frame (default and at most 256)" },
      output: { type: "string", short: "o", value: "FILE", help: "write to this file; - is standard output" },
    },
    summary: "copy packets as they came in and as they went out, into a pcapng file",
    details:
      "What the balancer forwards is in it, which tcpdump on the box does not see. Each packet's comment says what became of it. Ctrl-C ends the capture and leaves a whole file. One capture runs at a time.",
  },
  ...BACKUP_VERBS,
  UPDATE_VERB,
  ...ACCESS_VERBS,
  ...MACHINE_VERBS,
  {
    ...none("console"),
    options: {
      state: COMMON.state,
      help: COMMON.help,
      "sign-in": { type: "boolean", help: "what changes something asks for an admin's account first" },
    },
    summary: "a menu for the serial console",
    details: "For a vt100 of 24 lines and 80 columns, and whatever is like one. It needs a terminal.",
  },
];
