/** Maintenance of this box: a wish that survives reboots, told to the sentinel again and again until it is carried out. */
import { ExitCode } from "../exit-code.ts";
import type { Configuration } from "./configuration.ts";
import { MAINTENANCE_WAITS } from "./sentences.ts";
import type { CommandResult, SentinelLink } from "./sentinel-link.ts";

/** The setting that lets maintenance survive a reboot. */
const MAINTENANCE = "maintenance";
const RETRY_MILLIS = 50;

export class Maintenance {
  readonly #settings: Pick<Configuration, "putSetting">;
  #on: boolean;
  /** The newest order was refused for now, and is carried out as soon as it can be. */
  #waits = false;

  private constructor(settings: Pick<Configuration, "putSetting">, on: boolean) {
    this.#settings = settings;
    this.#on = on;
  }

  get on(): boolean {
    return this.#on;
  }

  static async load(settings: Pick<Configuration, "setting" | "putSetting">): Promise<Maintenance> {
    return new Maintenance(settings, (await settings.setting(MAINTENANCE)) === "on");
  }

  /** What an active box waits for, as a sentence. */
  wish(role: string): string | undefined {
    return this.#on && this.#waits && role === "active" ? MAINTENANCE_WAITS : undefined;
  }

  /** Remembered first and whatever the sentinel answers: a wish that has to wait for the peer stays a wish. */
  async set(on: boolean, sentinel: SentinelLink): Promise<CommandResult> {
    await this.#settings.putSetting(MAINTENANCE, on ? "on" : undefined);
    this.#on = on;
    const answer = await sentinel.command({ kind: "maintenance", on });
    this.#waits = on && !answer.ok;
    return answer;
  }

  /** A sentinel that was just started holds no role before it knows its peer, so a moment later is soon enough. */
  async repeat(sentinel: SentinelLink): Promise<void> {
    while (this.#on && sentinel.connected) {
      const answer = await sentinel.command({ kind: "maintenance", on: true });
      this.#waits = this.#on && !answer.ok;
      // Any other refusal is about handing over now: the sentinel knows the wish and acts on it when it can.
      if (answer.ok || answer.exitCode !== ExitCode.failed) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
    }
  }
}
