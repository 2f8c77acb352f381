/** What must hold once everything is mended: one configuration on both boxes, and every answer as true as it was given. */
import type { Outcome, Revision, Wish } from "@futago/firmware/pair/commit/types.ts";
import { type Letter, short, type SimulatedBox } from "./box.ts";

export interface Asked {
  readonly box: Letter;
  readonly wish: Wish;
  revision: Revision | undefined;
  outcome: Outcome | undefined;
  answeredAt: number;
  /** The box that was asked has died since: nobody waits for an answer. */
  dropped: boolean;
}

export class Rules {
  readonly #boxes: Readonly<Record<Letter, SimulatedBox>>;
  readonly #asked: ReadonlyMap<number, Asked>;
  readonly #fail: (what: string) => void;

  constructor(
    boxes: Readonly<Record<Letter, SimulatedBox>>,
    asked: ReadonlyMap<number, Asked>,
    fail: (what: string) => void,
  ) {
    this.#boxes = boxes;
    this.#asked = asked;
    this.#fail = fail;
  }

  judge(): void {
    const { a, b } = this.#boxes;
    const differ = a.disk.head !== b.disk.head;
    if (differ && a.cannotTake === undefined && b.cannotTake === undefined)
      this.#fail(`the heads differ and nobody says why: ${short(a.disk.head)} ${short(b.disk.head)}`);
    for (const box of [a, b]) {
      const { state, letter } = box;
      if (state?.inForce !== box.disk.head)
        this.#fail(`${letter} runs ${short(state?.inForce)} and holds ${short(box.disk.head)}`);
      if (state?.deadline !== undefined) this.#fail(`${letter} still waits for a confirmation`);
      if (state?.barred !== undefined) this.#fail(`${letter} cannot roll back ${short(box.disk.head)}`);
      const { confirmSeconds, confirmedBy, parent } = box.disk.headSummary ?? {};
      if (confirmSeconds !== undefined && confirmedBy === undefined && parent !== undefined)
        this.#fail(`${letter} stays at ${short(box.disk.head)}, which nobody confirmed`);
      // What it cannot take it asks for again and again.
      if (state?.work.kind !== "idle" && box.cannotTake === undefined)
        this.#fail(`${letter} is still ${state?.work.kind}`);
    }
    for (const [id, asked] of this.#asked) this.#judgeAsked(id, asked);
  }

  #judgeAsked(id: number, { outcome, revision, wish, dropped, box }: Asked): void {
    const { a, b } = this.#boxes;
    if (outcome === undefined) {
      if (!dropped) this.#fail(`request ${id} of ${box} was never answered`);
      return;
    }
    const inLineage = (which: string) => a.disk.isInLineage(which) || b.disk.isInLineage(which);
    if (outcome.kind === "done" && !inLineage(outcome.revision) && outcome.revision !== "") {
      const lost =
        a.lost.has(outcome.revision) || b.lost.has(outcome.revision) || this.#descendantLost(outcome.revision);
      // What both had is in the lineage of whatever came after.
      if ((outcome.peer === "inForce" && outcome.changed) || !lost)
        this.#fail(`request ${id} was acknowledged and ${short(outcome.revision)} is lost`);
    }
    if (outcome.kind === "done" && wish.kind === "commit" && outcome.changed) this.#judgeUndone(id, outcome.revision);
    if (outcome.kind === "done" && wish.kind === "confirm") this.#judgeConfirmed(outcome.revision);
    const unsure = isUnsure(outcome);
    // Before the first one there is nothing that the boxes could go back to.
    if (outcome.kind === "refused" && revision?.parent !== undefined && !unsure) this.#judgeRefused(id, revision);
  }

  /** What was answered as done is undone by no box, unless somebody wished for the same on trial, or was refused it. */
  #judgeUndone(id: number, revision: string): void {
    const mine = this.#asked.get(id);
    const acknowledged = mine?.answeredAt ?? 0;
    const others = [...this.#asked.values()].filter((one) => one.revision?.id === revision);
    const given = others.some(({ wish, outcome, answeredAt, box }) => {
      const trial = wish.kind === "commit" && wish.confirmSeconds !== undefined;
      if (outcome?.kind === "done") return trial;
      const told = JSON.stringify(outcome ?? {});
      // The other box was to roll it back, and did, when it heard that somebody had committed the same here.
      if (box !== mine?.box && told.includes("other box has it")) return true;
      return answeredAt > acknowledged || /connection to|could not be put into force/.test(told);
    });
    if (given || this.#descendantLost(revision)) return;
    for (const { disk, letter, cannotTake } of [this.#boxes.a, this.#boxes.b]) {
      if (cannotTake !== undefined) continue;
      const stored = [...disk.summaries.values()];
      const undone = stored.find((one) => one.parent === revision && one.author === "futago");
      // It was brought back, or somebody went on from there, or gave the former document themselves.
      const byHand = [...this.#asked.values()].some((one) => one.revision?.id === undone?.id);
      const followed = byHand || stored.some((one) => one.parent === undone?.id && one.author !== "futago");
      if (undone !== undefined && !followed) this.#fail(`request ${id} was acknowledged and ${letter} undid it`);
    }
  }

  /** It lies in the lineage of a sibling that lost, was kept, and told. */
  #descendantLost(id: string): boolean {
    return [this.#boxes.a, this.#boxes.b].some((box) =>
      [...box.lost].some((sibling) => box.disk.lineage(sibling).some((one) => one.id === id)),
    );
  }

  #judgeConfirmed(id: string): void {
    const boxes = [this.#boxes.a, this.#boxes.b];
    for (const { disk, letter, cannotTake } of boxes) {
      const head = disk.headSummary;
      // A person who rolled it back made the same revision.
      if (boxes.some((box) => box.disk.summaries.get(head?.id ?? "")?.author !== "futago")) continue;
      if (cannotTake === undefined && head?.parent === id && head.author === "futago")
        this.#fail(`${letter} rolled back ${short(id)}, which was confirmed`);
    }
  }

  #judgeRefused(id: number, revision: Revision): void {
    // A roll-back by hand and one by a box are the same revision.
    if ([this.#boxes.a, this.#boxes.b].some((box) => box.disk.summaries.get(revision.id)?.author === "futago")) return;
    for (const { disk, letter, cannotTake } of [this.#boxes.a, this.#boxes.b]) {
      // A box that cannot take the other's says so; before that it may not have heard of the roll-back.
      if (cannotTake !== undefined) continue;
      // The same may have been brought back for another reason.
      if (disk.head !== revision.id || disk.headSummary?.comment !== revision.comment) continue;
      // Somebody may have wished for the same from the same place, and got it.
      const others = [...this.#asked].some(([which, one]) => which !== id && one.revision?.id === revision.id);
      if (!others) this.#fail(`request ${id} was refused, and ${short(revision.id)} is in force on ${letter}`);
    }
  }
}

/** Whether the answer leaves open what becomes of the change. */
function isUnsure(outcome: Outcome | undefined): boolean {
  const open = /connection to|other box has it|is tried again/;
  return outcome?.kind === "refused" && open.test(JSON.stringify(outcome.refusal));
}
