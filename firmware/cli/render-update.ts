/** `futago update status`, for people. Pure. */
import type {
  PairUpdateShown,
  PeerVersionShown,
  ProofShown,
  SlotShown,
  UpdateShown,
} from "../runtime/control-update.ts";
import { printable, table } from "./table.ts";

export function renderUpdate(shown: UpdateShown): string {
  if (shown.version === null) return "This machine did not boot from a Futago image, and has no slots to update.\n";
  const rows = shown.slots.map((slot) => [slot.slot, slotSentence(slot), slot.version ?? "-"]);
  const steps = shown.steps.map(({ at, sentence }) => `  ${at}  ${printable(sentence)}`);
  const lines = [
    `Version ${shown.version} runs. ${proofSentence(shown.proof)}`,
    ...shown.proof.findings.map((finding) => `  ${printable(finding)}`),
    "",
    table(["SLOT", "STATE", "INSTALLED"], rows),
    ...(steps.length === 0 ? [] : ["", "The newest update on this box:", ...steps]),
    ...(shown.percent === null ? [] : [`  ${shown.percent}% written`]),
    ...(shown.isWorking ? ["  It is under way."] : []),
    ...(shown.peer === null ? [] : ["", peerSentence(shown.peer)]),
    ...(shown.pair === null ? [] : ["", ...pairLines(shown.pair)]),
  ];
  return `${lines.join("\n")}\n`;
}

function peerSentence({ version, proof }: PeerVersionShown): string {
  if (version === null) return "The other box did not boot from a Futago image.";
  return `The other box runs ${printable(version)}${proof === "good" ? ", which was found good." : "; it was not found good yet."}`;
}

function pairLines(pair: PairUpdateShown): readonly string[] {
  const { version, author, outcome, failure, steps, canStop } = pair;
  const line = pairLine(pair);
  return [
    `The newest update of the pair, to ${printable(version)}, by ${printable(author)}: ${OUTCOMES[outcome]}.`,
    ...steps.map(({ at, sentence }) => `  ${at}  ${printable(sentence)}`),
    ...(line === "" ? [] : [line]),
    ...(failure === null ? [] : [`  ${printable(failure)}`]),
    ...(canStop ? ["  `futago update stop` takes it back."] : []),
  ];
}

const OUTCOMES: Readonly<Record<PairUpdateShown["outcome"], string>> = {
  running: "it is under way",
  done: "both boxes run it",
  cameBack: "it came to nothing, and the former version serves",
  halfway: "only one box runs it",
};

/** Where it is, in one line; nothing once it is over. */
export function pairLine({ box, stage, percent, secondsLeft, findings, outcome }: PairUpdateShown): string {
  if (outcome !== "running") return "";
  const left = secondsLeft === null ? "" : `, ${secondsLeft} s left if nothing goes wrong`;
  const share = percent === null ? "" : `, ${percent}%`;
  const waits = findings.length === 0 ? "" : `: ${findings.map(printable).join("; ")}`;
  return `  box ${box} ${STAGES[stage]}${share}${left}${waits}`;
}

const STAGES: Readonly<Record<PairUpdateShown["stage"], string>> = {
  checking: "is looked at",
  sending: "gets the bundle",
  installing: "installs it",
  starting: "starts anew",
  proving: "has to show that it is good",
  handingOver: "takes over",
  watching: "serves, and is watched",
  handingBack: "gives back what it holds",
  goingBack: "goes back",
  over: "is done",
};

export function proofSentence({ state, secondsLeft }: ProofShown): string {
  switch (state) {
    case "off":
      return "It is not judged: the machine has no slots.";
    case "waiting":
      return "It was not found good yet:";
    case "soaking":
      return `Nothing is wrong with it; it is found good in ${secondsLeft ?? 0} s if that lasts.`;
    case "good":
      return "It was found good.";
    case "givenUp":
      return "It was given up, and the box goes back to the former version:";
  }
}

function slotSentence({ isRunning, isFirst, verdict, tries }: SlotShown): string {
  const left = tries === 1 ? "1 start left" : `${tries} starts left`;
  const state = verdict === "bad" ? "bad: no start takes it" : `${verdict}, ${left}`;
  return [state, ...(isRunning ? ["runs"] : []), ...(isFirst ? ["first at the next start"] : [])].join(", ");
}
