/** Who serves in a cold pair, as this box remembers it over a restart and a power cut. */
import { parseActivation } from "../../../pair/spare/activation.ts";
import { type Activation, NO_ACTIVATION } from "../../../pair/spare/types.ts";
import type { Configuration } from "../configuration.ts";

const SETTING = "activation";

type Settings = Pick<Configuration, "setting" | "putSetting">;

export class ActivationMemory {
  readonly activation: Activation;
  readonly #settings: Settings;

  private constructor(settings: Settings, activation: Activation) {
    this.#settings = settings;
    this.activation = activation;
  }

  static async load(settings: Settings): Promise<ActivationMemory> {
    const text = await settings.setting(SETTING);
    // Unreadable is as though nobody had decided: the peer's word counts, or this box asks around.
    return new ActivationMemory(settings, (text === undefined ? undefined : parseActivation(text)) ?? NO_ACTIVATION);
  }

  /** It is on the disk when this resolves. */
  keep(activation: Activation): Promise<void> {
    return this.#settings.putSetting(SETTING, JSON.stringify(activation));
  }
}
