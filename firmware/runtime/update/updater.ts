/** Carries out what core asks of the slots: reads and writes the boot state, runs RAUC, and looks at the machine. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { otherSlot, type Slot } from "../../update/boot-state.ts";
import { beginTrial, fellBack, markBad, markGood, setPrimary } from "../../update/boot-steps.ts";
import { type BundleFacts, type BundleRefusal, refuseBundle } from "../../update/bundle.ts";
import type { Result } from "@futago/hal/units/result.ts";
import { parseObject } from "../line-reader.ts";
import type { BootStateStore } from "./boot-state-store.ts";
import type { ImageFacts, MachineHealth, Progress, UpdaterRefusal, UpdaterState } from "./protocol.ts";

/** What a box is made of, for the updater. */
export interface Slots {
  readonly image: ImageFacts;
  readonly running: Slot | undefined;
  /** Undefined where the disk has no boot state. */
  readonly store: BootStateStore | undefined;
  /** Where it is put down what was installed into which slot. */
  readonly record: string;
  readonly inspect: (file: string) => Promise<Result<BundleFacts, BundleRefusal>>;
  readonly install: (
    file: string,
    onProgress: (percent: number, doing: string) => void,
  ) => Promise<BundleRefusal | undefined>;
  readonly health: () => Promise<MachineHealth>;
}

export class UpdaterError extends Error {
  override readonly name = "UpdaterError";
  readonly refusal: UpdaterRefusal;

  constructor(refusal: UpdaterRefusal) {
    super(refusal.what);
    this.refusal = refusal;
  }
}

const NO_SLOTS: UpdaterRefusal = {
  reason: "noSlots",
  what: "this machine did not boot from a Futago image, and has no slots to update",
  mend: "Update it by the means that it was installed by.",
};

export class Updater {
  readonly #slots: Slots;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  state(): UpdaterState {
    const { image, running = null } = this.#slots;
    const { store } = this.#own();
    const { state, isWhole } = store.read();
    return { image, running, bootState: state, isWhole, installed: this.#installed() };
  }

  health(): Promise<MachineHealth> {
    return this.#slots.health();
  }

  async inspect(file: string): Promise<BundleFacts> {
    if (!existsSync(file)) {
      const mend = "Give the path of a file on this box.";
      throw new UpdaterError({ reason: "noFile", what: `${file}: there is no such file`, mend });
    }
    const read = await this.#slots.inspect(file);
    if (!read.ok) throw new UpdaterError(read.reason);
    const refusal = refuseBundle(read.value, this.#slots.image);
    if (refusal !== undefined) throw new UpdaterError(refusal);
    return read.value;
  }

  async install(file: string, onProgress: (progress: Progress) => void): Promise<BundleFacts> {
    const { store, running } = this.#own();
    const facts = await this.inspect(file);
    const target = otherSlot(running);
    const { state } = store.read();
    // The other slot is what this one comes back to until it was found good.
    if (state.slots[running].verdict !== "good") {
      throw new UpdaterError({
        reason: "notProven",
        what: `the version that runs in slot ${running} has not been found good yet, and the other slot is what it would come back to`,
        mend: "Wait until `futago update status` calls it good; that takes two minutes after a healthy start.",
      });
    }
    store.write({ ...markBad(state, target), primary: running });
    this.#remember(target, undefined);
    const refusal = await this.#slots.install(file, (percent, doing) => onProgress({ percent, doing }));
    if (refusal !== undefined) throw new UpdaterError(refusal);
    this.#remember(target, facts);
    return facts;
  }

  /** A slot that was not written whole is bad, and stays what it is. */
  beginTrial(): UpdaterState {
    const { store, running } = this.#own();
    const target = otherSlot(running);
    const { state } = store.read();
    const wasInstalled = this.#installed()[target] !== undefined;
    if (state.slots[target].verdict === "bad" && !wasInstalled) {
      throw new UpdaterError({
        reason: "nothingInstalled",
        what: `slot ${target} holds nothing that can be booted`,
        mend: "Install a bundle: `futago update FILE`.",
      });
    }
    store.write(beginTrial(state, target));
    return this.state();
  }

  endTrial(): UpdaterState {
    const { store, running } = this.#own();
    store.write(setPrimary(store.read().state, running));
    return this.state();
  }

  markGood(): UpdaterState {
    const { store, running } = this.#own();
    store.write(markGood(store.read().state, running));
    return this.state();
  }

  markBad(): UpdaterState {
    const { store, running } = this.#own();
    store.write(markBad(store.read().state, running));
    return this.state();
  }

  settle(): { readonly failed: Slot | null } {
    const { store, running } = this.#own();
    const { state } = store.read();
    const settled = fellBack(state, running);
    if (settled === undefined) return { failed: null };
    store.write(settled);
    const other = otherSlot(running);
    return { failed: state.slots[other].verdict === "trial" ? other : null };
  }

  #own(): { readonly store: BootStateStore; readonly running: Slot } {
    const { store, running } = this.#slots;
    if (store === undefined || running === undefined) throw new UpdaterError(NO_SLOTS);
    return { store, running };
  }

  #installed(): UpdaterState["installed"] {
    const { record } = this.#slots;
    const text = existsSync(record) ? readFileSync(record, "utf8") : "";
    return parseObject(text) ?? {};
  }

  #remember(slot: Slot, build: BundleFacts | undefined): void {
    const { record } = this.#slots;
    const { [slot]: _, ...rest } = this.#installed();
    const installed = build === undefined ? rest : { ...rest, [slot]: { version: build.version, time: build.time } };
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(record, `${JSON.stringify(installed)}\n`, { flush: true });
  }
}
