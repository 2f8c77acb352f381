/**
 * Updates of this box: installs a bundle into the slot that does not run, starts the box anew on trial, and after a start
 * has the running version found good or goes back. What is carried out is the updater's work.
 */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Micros } from "@futago/hal/units/time.ts";
import { otherSlot, type Slot } from "../../../update/boot-state.ts";
import type { Finding } from "../../../update/proof.ts";
import type { ProofShown, SlotShown, UpdateShown, UpdateStep } from "../../control-update.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { ImageFacts, UpdaterState } from "../../update/protocol.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Log } from "../log.ts";
import { BundleUpload } from "./bundle-upload.ts";
import { ProofKeeper } from "./proof-keeper.ts";
import type { AskUpdater } from "./updater-client.ts";

export interface UpdateRoomOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly stateDirectory: string;
  readonly alarms: Pick<AlarmBoard, "set">;
  /** Undefined where the box is no appliance. */
  readonly updater: AskUpdater | undefined;
  readonly look: (updater: AskUpdater) => Promise<readonly Finding[]>;
  readonly isServing: () => boolean;
  /** Before the box starts anew on trial. */
  readonly keepPorts: () => Promise<void>;
  /** Lets the peer take over and starts the box anew; refuses when nobody can and it is not forced. */
  readonly reboot: (force: boolean) => Promise<string>;
  /** For so long nothing may be wrong with a new version. */
  readonly soak: Micros;
  /** What is known of the pair. */
  readonly pairPart: () => Pick<UpdateShown, "peer" | "pair">;
  /** The updater has said what runs. */
  readonly onImage: () => void;
}

const RETRY_MILLIS = 5_000;
/** A slot that is good and has so few tries left was started again and again without being found good. */
const FEW_TRIES = 4;
const OFF: ProofShown = { state: "off", findings: [], secondsLeft: null };

const NO_APPLIANCE =
  "this machine did not boot from a Futago image, so that there are no slots to update; update it by the means that it was installed by";

export class UpdateRoom {
  readonly #options: UpdateRoomOptions;
  readonly upload: BundleUpload;
  #proof: ProofKeeper | undefined;
  #retry: NodeJS.Timeout | undefined;
  #steps: readonly UpdateStep[] = [];
  #percent: number | null = null;
  #isWorking = false;
  #failure: string | null = null;
  #closed = false;
  #image: ImageFacts | undefined;

  constructor(options: UpdateRoomOptions) {
    this.#options = options;
    this.upload = new BundleUpload(options.stateDirectory);
    if (options.updater !== undefined) void this.#begin(options.updater);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#proof?.close();
    void this.upload.close();
  }

  async shown(): Promise<UpdateShown> {
    const { updater } = this.#options;
    const work = {
      percent: this.#percent,
      steps: this.#steps,
      isWorking: this.#isWorking,
      failure: this.#failure,
      ...this.#options.pairPart(),
    };
    if (updater === undefined) return { version: null, slots: [], proof: OFF, ...work };
    const state = await updater("state", {});
    return { version: state.image.version, slots: slotsShown(state), proof: this.proof, ...work };
  }

  /** What runs here; undefined until the updater said so, and where there are no slots. */
  get image(): ImageFacts | undefined {
    return this.#image;
  }

  get proof(): ProofShown {
    if (this.#options.updater === undefined) return OFF;
    return this.#proof?.shown ?? { ...OFF, state: "waiting" };
  }

  /** For an update of the pair. Resolves when the bundle is in the slot that does not run. */
  async install(file: string, onPercent: (percent: number) => void): Promise<void> {
    const updater = this.#demand();
    await this.#alone(async () => {
      try {
        this.#say("a bundle of the pair's update is written into the slot that does not run");
        await updater("install", { file }, ({ percent }) => {
          this.#percent = percent;
          onPercent(percent);
        });
        this.#say("it is written whole");
        return "";
      } finally {
        this.#percent = null;
      }
    });
    this.#isWorking = false;
  }

  async startTrial(): Promise<void> {
    await this.#startTrial(this.#demand(), false);
  }

  async cancelTrial(): Promise<void> {
    await this.#demand()("endTrial", {});
  }

  /** What runs is bad, whatever its proof said, and the other slot is good: the box starts anew from that one. */
  async goBack(): Promise<void> {
    const updater = this.#demand();
    const { running, bootState } = await updater("state", {});
    const other = running === null ? undefined : bootState.slots[otherSlot(running)];
    if (other === undefined || other.verdict === "bad" || other.tries === 0) {
      const mend = "Install a bundle of the version that is wanted: `futago update FILE --this-box`.";
      throw new RefusalError({
        exitCode: ExitCode.failed,
        what: "the other slot holds nothing that can be booted",
        mend,
      });
    }
    await updater("markBad", {});
    this.#say(await this.#options.reboot(false));
  }

  /** As {@link update}, of a bundle that was sent, which is removed afterwards. */
  async updateFromUpload(id: number, force: boolean): Promise<string> {
    this.#demand();
    const file = await this.upload.end(id);
    try {
      return await this.update(file, force, () => this.upload.forget());
    } catch (error) {
      await this.upload.forget();
      throw error;
    }
  }

  /** Resolves when the bundle was found fit; the rest goes on by itself, and then `onOver` is called. */
  async update(file: string, force: boolean, onOver?: () => Promise<void>): Promise<string> {
    const updater = this.#demand();
    return this.#alone(async () => {
      const { version } = await updater("inspect", { file });
      this.#say(`the bundle holds ${version}, and its signature is good`);
      const work = async () => {
        this.#percent = 0;
        this.#say("it is written into the slot that does not run");
        await updater("install", { file }, ({ percent }) => {
          this.#percent = percent;
        });
        this.#percent = null;
        this.#say("it is written whole");
        await this.#startTrial(updater, force);
      };
      void this.#work(updater, work, onOver);
      return `The bundle holds ${version}. It is installed now; then this box starts anew.`;
    });
  }

  /** Starts from the other slot, on trial. */
  async back(force: boolean): Promise<string> {
    const updater = this.#demand();
    return this.#alone(async () => {
      const { running } = await updater("state", {});
      const target = running === null ? "a" : otherSlot(running);
      try {
        await this.#startTrial(updater, force);
      } finally {
        this.#isWorking = false;
      }
      return `This box starts anew now, from slot ${target}.`;
    });
  }

  #demand(): AskUpdater {
    const { updater } = this.#options;
    if (updater === undefined) throw new RefusalError({ exitCode: ExitCode.failed, what: NO_APPLIANCE });
    return updater;
  }

  /** One at a time; what `act` leaves going says by itself when it is over. */
  async #alone(act: () => Promise<string>): Promise<string> {
    if (this.#isWorking) {
      const mend = "`futago update status` shows how far it is.";
      throw new RefusalError({ exitCode: ExitCode.conflict, what: "an update of this box is under way", mend });
    }
    this.#isWorking = true;
    this.#failure = null;
    this.#steps = [];
    try {
      return await act();
    } catch (error) {
      this.#isWorking = false;
      throw error;
    }
  }

  async #work(updater: AskUpdater, act: () => Promise<void>, onOver?: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#failure = sentenceOf(error);
      this.#say(`it came to nothing: ${this.#failure}`);
      this.#options.log.warn("update-failed", { reason: this.#failure });
      await this.#showState(updater);
    } finally {
      await onOver?.();
      this.#percent = null;
      this.#isWorking = false;
    }
  }

  async #startTrial(updater: AskUpdater, force: boolean): Promise<void> {
    await this.#options.keepPorts();
    await updater("beginTrial", {});
    try {
      this.#say(await this.#options.reboot(force));
    } catch (error) {
      await updater("endTrial", {});
      throw error;
    }
  }

  #say(sentence: string): void {
    this.#steps = [...this.#steps, { at: new Date().toISOString(), sentence }];
    this.#options.log.info("update-step", { sentence });
  }

  /** The updater is there once systemd's socket is; until then nothing is known of the slots. */
  async #begin(updater: AskUpdater): Promise<void> {
    try {
      const { failed } = await updater("settle", {});
      if (failed !== null) this.#options.log.warn("update-fell-back", { slot: failed });
      const state = await updater("state", {});
      if (this.#closed) return;
      this.#startProof(updater, state);
      if (state.running === null) return;
      this.#image = state.image;
      this.#options.onImage();
    } catch (error) {
      if (this.#closed) return;
      this.#trouble(error);
      this.#retry = setTimeout(() => void this.#begin(updater), RETRY_MILLIS);
    }
  }

  #startProof(updater: AskUpdater, state: UpdaterState): void {
    const { clock, log, look, isServing, reboot } = this.#options;
    const { running, bootState } = state;
    this.#showAlarms(state);
    if (running === null) return;
    const other = bootState.slots[otherSlot(running)];
    this.#proof = new ProofKeeper({
      clock,
      config: {
        isTrial: bootState.slots[running].verdict === "trial",
        canGoBack: other.verdict !== "bad" && other.tries > 0,
        soak: this.#options.soak,
      },
      look: () => look(updater),
      isServing,
      markGood: async () => {
        this.#showAlarms(await updater("markGood", {}));
        log.info("version-good", { version: state.image.version, slot: running });
      },
      goBack: async (findings) => {
        log.error("version-bad", { version: state.image.version, findings: findings.map(({ sentence }) => sentence) });
        await updater("markBad", {});
        await reboot(true);
      },
      onTrouble: (error) => this.#trouble(error),
      onChange: () => void this.#showState(updater),
    });
  }

  async #showState(updater: AskUpdater): Promise<void> {
    try {
      this.#showAlarms(await updater("state", {}));
    } catch (error) {
      this.#trouble(error);
    }
  }

  #trouble(error: unknown): void {
    if (!(error instanceof RefusalError)) throw error;
    this.#options.log.warn("updater-refused", { what: error.refusal.what });
    if (error.refusal.reason === "updaterAway") this.#options.alarms.set("updater-away", "", error.refusal.what);
  }

  #showAlarms({ running, bootState, installed, isWhole }: UpdaterState): void {
    const { alarms } = this.#options;
    alarms.set("updater-away", "", undefined);
    if (running === null) return;
    const other = otherSlot(running);
    const failed = bootState.slots[other].verdict === "bad" ? installed[other] : undefined;
    alarms.set("update-failed", "", failed && fellBackSentence(failed.version, other, running));
    const { verdict, tries } = bootState.slots[running];
    const isLooping = verdict === "good" && tries <= FEW_TRIES;
    alarms.set("starts-unproven", "", isLooping ? loopSentence(tries, running) : undefined);
    alarms.set("boot-state-torn", "", isWhole ? undefined : TORN);
  }
}

const TORN =
  "one of the two copies of the boot state is damaged; it is written anew as soon as this start was found good, and if this alarm comes back, the disk is failing";

function fellBackSentence(version: string, slot: Slot, running: Slot): string {
  return `the update to ${version} failed: it did not come up in slot ${slot}, or was not found good, so this box runs the former version from slot ${running}; \`futago show log\` tells more, and \`futago update FILE\` tries again`;
}

function loopSentence(tries: number, slot: Slot): string {
  return `this box was started again and again without being found good; ${tries === 1 ? "1 start is" : `${tries} starts are`} left to slot ${slot} before the other one is taken; \`futago update status\` tells what is wrong`;
}

function sentenceOf(error: unknown): string {
  if (error instanceof RefusalError) return error.message.replace("\n", ": ").replaceAll(/\s+/g, " ");
  throw error;
}

function slotsShown({ running, bootState, installed }: UpdaterState): readonly SlotShown[] {
  return (["a", "b"] as const).map((slot) => ({
    slot,
    isRunning: slot === running,
    isFirst: slot === bootState.primary,
    ...bootState.slots[slot],
    version: installed[slot]?.version ?? null,
  }));
}
