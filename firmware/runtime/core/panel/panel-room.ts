/**
 * Feeds the rules of the panel with what core knows, shows what they say, and carries out what a press asks for. On a
 * machine that is not the box's own (`futago run` without --board) it touches nothing.
 */
import type { BoardDescription, ChosenBoard, LightName } from "@futago/hal/contract/board.ts";
import type { Board, Clock } from "@futago/hal/contract/machine.ts";
import { between, toMillis } from "@futago/hal/units/time.ts";
import { type Light, OFF, roleLight } from "../../../panel/light.ts";
import {
  initialPanel,
  nextTimeout,
  type PanelAction,
  type PanelFacts,
  type PanelInput,
  type PanelState,
  step,
} from "../../../panel/panel.ts";
import type { LightShown, PanelShown } from "../../control-panel.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { LightOutput } from "../../hardware/light-output.ts";
import type { HardwareReport } from "../../messages.ts";
import type { Log } from "../log.ts";
import { BoardButton } from "./button.ts";
import { panelAlarms } from "./panel-alarms.ts";
import { PortLights } from "./port-lights.ts";

export interface PanelRoomOptions {
  readonly board: Board;
  readonly clock: Clock;
  /** Undefined: the machine is not the box's own. */
  readonly chosen: ChosenBoard | undefined;
  readonly log: Log;
  readonly facts: () => PanelFacts;
  /** What the role light shall show; null: the role. Answers whether there is a sentinel to show it. */
  readonly sendLight: (light: Light | null) => boolean;
  readonly setAlarm: (kind: string, subject: string, sentence: string | undefined) => void;
  readonly onChange: () => void;
}

/** Who carries out what a person at the box asks for, and needs no other proof. Refuses with a RefusalError. */
export interface Hands {
  activateSpare(): Promise<{ readonly message: string }>;
  factoryReset(): Promise<{ readonly message: string }>;
}

/** Facts, lights that were not there, and a sentinel that says nothing any more. */
const LOOK_MILLIS = 1_000;

export class PanelRoom {
  readonly #options: PanelRoomOptions;
  readonly #description: BoardDescription | undefined;
  readonly #outputs = new Map<Exclude<LightName, "role">, LightOutput>();
  /** Core's own hand on the role light. */
  readonly #roleOutput: LightOutput | undefined;
  readonly #button: BoardButton | undefined;
  readonly #ports: PortLights | undefined;
  #state: PanelState;
  #hardware: HardwareReport | undefined;
  #sentLight: Light | null = null;
  #looking: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #alarms = new Map<string, string>();
  #hands: Hands | undefined;

  constructor(options: PanelRoomOptions) {
    const { board, chosen } = options;
    this.#options = options;
    this.#description = chosen?.description;
    const { lights = {}, links = [], button } = chosen?.description ?? {};
    this.#state = initialPanel(lights.locate !== undefined);
    if (chosen === undefined) return;
    for (const name of ["peer", "alarm", "locate"] as const)
      if (lights[name] !== undefined) this.#outputs.set(name, new LightOutput(board, lights[name]));
    this.#roleOutput = lights.role && new LightOutput(board, lights.role);
    this.#ports = new PortLights(board, links);
    this.#button = button && new BoardButton(board, button, (event) => this.#input(event));
    this.#looking = setInterval(() => this.#lookAround(), LOOK_MILLIS);
    this.#looking.unref();
    options.log.info("board", { board: chosen.description.name });
  }

  setHands(hands: Hands): void {
    this.#hands = hands;
  }

  /** Null where the machine is not the box's own. */
  get shown(): PanelShown | null {
    if (this.#description === undefined) return null;
    const { lights, locateUntil, facts } = this.#state;
    const role = lights.role ?? roleLight(facts.role);
    const has = this.#description.lights;
    const all = Object.entries({ ...lights, role }) as [LightName, Light][];
    return {
      board: this.#description.name,
      locating: locateUntil !== undefined,
      lights: Object.fromEntries(
        all.filter(([name]) => has[name] !== undefined).map(([name, one]) => [name, word(one)]),
      ),
      button: this.#buttonWord(),
      watchdog: this.#hardware?.watchdog ?? null,
    };
  }

  /** What the sentinel has of the machine. */
  setHardware(report: HardwareReport): void {
    this.#hardware = report;
    // A sentinel that is new knows nothing of what its light shall show.
    this.#sentLight = null;
    this.#show();
    this.#lookAround();
  }

  /** Whatever the facts are made of may have changed: as often as that. */
  look(): void {
    if (this.#description === undefined) return;
    this.#input({ kind: "facts", facts: this.#options.facts() });
  }

  /** What tells nothing by itself: lights, ports and a button that were not there, and a sentinel that fell silent. */
  #lookAround(): void {
    if (this.#description === undefined) return;
    this.look();
    this.#button?.look();
    this.#ports?.look();
    this.#show();
    this.#setAlarms();
  }

  locate(on: boolean): string {
    if (this.#description === undefined) {
      const mend = "On the image of Futago it has them; elsewhere `futago run --board auto` lends them to it.";
      throw new RefusalError({ exitCode: ExitCode.failed, what: "this box has no lights of its own", mend });
    }
    if (Object.keys(this.#description.lights).length === 0) {
      const what = `the board "${this.#description.name}" has no light that Futago knows`;
      throw new RefusalError({
        exitCode: ExitCode.failed,
        what,
        mend: "docs/hardware.md tells how to describe a board.",
      });
    }
    this.#input({ kind: "locate", on });
    this.#options.log.info("locate", { on });
    this.#options.onChange();
    return on
      ? "The lights of this box blink until `futago locate off`, for an hour at most."
      : "The lights of this box show its state again.";
  }

  close(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#timer);
    this.#button?.close();
    for (const output of this.#outputs.values()) output.close();
    this.#roleOutput?.release();
  }

  #input(input: PanelInput): void {
    const { clock } = this.#options;
    const now = clock.now();
    const { state, actions } = step(this.#state, input, now);
    this.#state = state;
    for (const action of actions) this.#act(action);
    clearTimeout(this.#timer);
    const next = nextTimeout(this.#state, now);
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#input({ kind: "time" }), Math.max(0, Math.ceil(toMillis(between(now, next)))));
  }

  #act(action: PanelAction): void {
    const { log, onChange } = this.#options;
    switch (action.kind) {
      case "lights":
        this.#show();
        return onChange();
      case "showStatus": {
        const { role, peer, alarms } = this.#state.facts;
        return log.info("button-status", { role: role ?? "unknown", peer, alarms });
      }
      case "activateSpare":
        return this.#order("button-activates-spare", this.#hands?.activateSpare());
      case "factoryReset":
        return this.#order("button-factory-reset", this.#hands?.factoryReset());
      case "nothing":
        return log.info("button-called-off", { held: action.stage });
      case "stuck":
        log.warn("button-stuck", { since: action.since });
        return this.#setAlarms();
      case "freed":
        log.info("button-freed", {});
        return this.#setAlarms();
    }
  }

  /** Undefined while core is being opened. */
  #order(event: string, done: Promise<{ readonly message: string }> | undefined): void {
    const { log } = this.#options;
    log.warn(event, {});
    done?.then(
      ({ message }) => log.info(`${event}-done`, { message }),
      (error: unknown) => {
        if (!(error instanceof RefusalError)) throw error;
        log.warn(`${event}-refused`, { reason: error.refusal.what });
      },
    );
  }

  #show(): void {
    const { lights } = this.#state;
    for (const [name, output] of this.#outputs) output.show(lights[name]);
    const wanted = lights.role ?? null;
    if (JSON.stringify(wanted) !== JSON.stringify(this.#sentLight) && this.#options.sendLight(wanted))
      this.#sentLight = wanted;
    // A sentinel that says nothing shows nothing either.
    if (this.#state.facts.role === undefined) this.#roleOutput?.show(lights.role ?? OFF);
    else this.#roleOutput?.release();
  }

  #setAlarms(): void {
    const now = panelAlarms({
      problem: this.#options.chosen?.problem,
      hardware: this.#hardware,
      lights: [...this.#outputs.values()].flatMap(({ trouble }) => trouble ?? []),
      ports: [...(this.#ports?.troubles.values() ?? [])],
      button: this.#button?.trouble,
      isStuck: this.#state.button.kind === "stuck",
    });
    for (const kind of this.#alarms.keys()) if (!now.has(kind)) this.#options.setAlarm(kind, "", undefined);
    for (const [kind, sentence] of now) this.#options.setAlarm(kind, "", sentence);
    this.#alarms = now;
  }

  #buttonWord(): PanelShown["button"] {
    if (this.#button === undefined) return "none";
    if (!this.#button.isFound) return "missing";
    return this.#state.button.kind === "stuck" ? "stuck" : "ready";
  }
}

function word({ kind }: Light): LightShown {
  return kind;
}
