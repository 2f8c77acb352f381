/** What the command says about a pairing. Pure. */
import type { Role } from "../pair/ceremony/secrets.ts";
import { releaseToTake } from "../pair/ceremony/version.ts";
import type { Ending, PairingShown, Versions } from "../runtime/control-pairing.ts";
import { ExitCode, type Refusal } from "../runtime/exit-code.ts";
import { when } from "./render-status.ts";

type Failure = Extract<Ending, { kind: "failed" }>;
type Paired = Extract<Ending, { kind: "paired" }>;

const THEIR_WORDS: Readonly<Record<Failure["refusal"], readonly [what: string, mend: string]>> = {
  "wrong-code": ["the code is wrong", "Look at it again, or let `futago pair invite` show another one."],
  "late-code": ["the code is too old: it is valid for ten minutes", "`futago pair invite` shows another one."],
  "used-code": ["the code has served: it is good for one pairing", "`futago pair invite` shows another one."],
  "too-many-tries": [
    "three wrong codes came, so the invitation is over",
    "Find out who tried; `futago pair invite` shows another code.",
  ],
  busy: ["the other box is talking to a third one", "Wait until that is over, or cancel it there."],
  "other-version": ["the two boxes speak different protocols of pairing", "Install the same release on both first."],
  "bad-message": ["what came over the cable makes no sense", "Somebody else may be on the cable. Try again."],
  "broken-commitment": [
    "what came over the cable was changed on its way",
    "Somebody sits on the cable. Connect the two boxes directly.",
  ],
  "not-the-inviter": [
    "whoever answered does not know the code",
    "Somebody sits on the cable. Connect the two boxes directly.",
  ],
  "digits-differ": [
    "the digits were not the same",
    "When they really differed somebody sits on the cable: connect the two boxes directly.",
  ],
  "not-answered": ["there was no answer in time", "Begin again with `futago pair invite`."],
  cancelled: ["the pairing was cancelled", "Begin again with `futago pair invite`."],
  "not-kept": ["a disk refused the pairing, so neither box has it", "`futago show log` tells what the disk said."],
  "went-away": ["the other box went away", "Look at the cable and begin again."],
  "no-invitation": [
    "no box on any cable invites",
    "Look at the cables. A code that has served, or is older than ten minutes, is not answered any more: `futago pair invite` shows another one.",
  ],
};

export function failureRefusal({ refusal, by, versions }: Failure): Refusal {
  const [what, mend] = THEIR_WORDS[refusal];
  if (versions !== undefined) return { exitCode: ExitCode.failed, what: `${what}: ${bothVersions(versions)}`, mend };
  const said = by === "there" ? `the other box says: ${what}` : what;
  return { exitCode: ExitCode.failed, what: said, mend };
}

function bothVersions({ here, there }: Versions): string {
  const words = ({ release, protocol }: Versions["here"]) =>
    release === "" ? `protocol ${protocol}` : `${release} with protocol ${protocol}`;
  return `this one is ${words(here)}, the other one ${words(there)}`;
}

/** `replaces`: this box has a peer, or had one. */
export function invitationSentence(code: string, replaces: boolean): string {
  const former = replaces ? "A peer that this box has is given up when the other box has joined, not before.\n" : "";
  const join = `On the other box: futago pair join ${code}\n`;
  return `The code is ${code}. It is valid for ten minutes.\n${join}${former}`;
}

export function digitsSentence(digits: string): string {
  return `This box shows ${digits}.\n`;
}

/** Empty where the releases are the same. */
export function releasesSentence(role: Role, versions: Versions): string {
  const wanted = releaseToTake(role, versions);
  if (wanted === undefined) return "";
  const { here, there } = versions;
  const which = role === "joiner" ? "this box" : "the other box";
  return `This box is ${here.release}, the other one ${there.release}: install ${wanted} on ${which} before the pair serves.\n`;
}

export const QUESTION = "Does the other box show the same digits? [yes/no] ";
/** Three letters are not typed by mistake. */
export const IN_FULL = "Please type yes or no in full: ";

export function pairedSentence(ending: Paired): string {
  const { letter, role, versions } = ending;
  return `Paired: this box is ${letter}.\n${clockSentence(ending)}${releasesSentence(role, versions)}`;
}

/** Of the clock of the box that joins. */
function clockSentence({ role, clock, clockAheadMillis, clockWithinMillis }: Paired): string {
  const [whose, ahead] = role === "joiner" ? ["This box's", -clockAheadMillis] : ["The other box's", clockAheadMillis];
  const difference = `${spanWords(Math.abs(ahead))} ${ahead > 0 ? "ahead" : "behind"}`;
  switch (clock) {
    case "level":
      return "";
    case "set":
      return `${whose} clock was ${difference}; set, to within ${clockWithinMillis} ms.\n`;
    case "kept":
      return `${whose} clock is ${difference} and kept by NTP, so it was left alone: set ${role === "joiner" ? "the other one" : "this one"}.\n`;
    case "refused":
      return `${whose} clock is ${difference}, and could not be set.\n`;
  }
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** "3 h 12 min": the two largest units. */
function spanWords(millis: number): string {
  let left = Math.round(millis / 1_000);
  const parts = UNITS.map(([unit, seconds]) => {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    return { count, text: `${count} ${unit}` };
  });
  const first = Math.min(
    parts.findIndex(({ count }) => count > 0),
    parts.length - 1,
  );
  const shown = parts.slice(first, first + 2).filter(({ count }) => count > 0);
  return shown.map(({ text }) => text).join(" ");
}

export const CONFIGURE_PAIR =
  "The two link when this box has a configuration with `pair` in it, which the other one takes, too.\n";

/** `futago pair status`. */
export function renderPairing(shown: PairingShown): string {
  return [...standing(shown), ...ceremony(shown)].map((line) => `${line}\n`).join("");
}

function standing({ kind, box, linked, pairing }: PairingShown): readonly string[] {
  const link = linked ? "The two are linked." : "The link to it is down.";
  switch (kind) {
    case "alone":
      return ["This box has no peer."];
    case "key":
      return [`This box is ${box ?? "neither a nor b"}, and was given its pair's key with --pair-key. ${link}`];
    case "left":
      return [`This box is ${box}, and gave its peer up.`];
    case "paired":
      return [
        `This box is ${box} and has a peer since ${when(pairing?.since ?? "")}, met on ${pairing?.device}. ${link}`,
        `this box  ${pairing?.fingerprint}`,
        `its peer  ${pairing?.peerFingerprint}`,
      ];
  }
}

function ceremony({
  ceremony: { phase, code, digits, secondsLeft, wrongTries, last },
  trouble,
  pairing,
}: PairingShown) {
  const lines: string[] = [];
  if (phase === "inviting") lines.push(`It invites with the code ${code}, for ${secondsLeft} s more.`);
  if (phase === "joining") lines.push(`It looks for a box that invites with the code ${code}.`);
  if (phase === "talking") lines.push("It talks to another box.");
  if (phase === "comparing") lines.push(`It shows ${digits}: \`futago pair yes\` when the other one shows the same.`);
  if (phase === "waiting") lines.push("Somebody has to say at the other box whether the digits are the same.");
  if (wrongTries > 0) lines.push(`Wrong codes so far: ${wrongTries}.`);
  if (pairing?.rotating === true) lines.push("The two are changing their keys.");
  if (trouble !== null) lines.push(trouble);
  if (phase === "idle" && last?.kind === "failed") lines.push(`The last pairing failed: ${failureRefusal(last).what}.`);
  return lines;
}
