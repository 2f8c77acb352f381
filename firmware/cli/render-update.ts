/** `futago update status`, for people. Pure. */
import type { ProofShown, SlotShown, UpdateShown } from "../runtime/control-update.ts";
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
  ];
  return `${lines.join("\n")}\n`;
}

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
