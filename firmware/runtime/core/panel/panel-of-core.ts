/** Where the panel of a core has from what it shows. */
import type { ChosenBoard } from "@futago/hal/contract/board.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import { standing } from "../../../pair/spare/step.ts";
import type { PanelFacts } from "../../../panel/panel.ts";
import type { SentinelStatus } from "../../messages.ts";
import type { AccessRoom } from "../access/access-room.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import type { SpareRoom } from "../spare/spare-room.ts";
import { PanelRoom } from "./panel-room.ts";

export interface PanelOfCore {
  readonly hal: Pick<Hal, "board" | "clock">;
  readonly board: ChosenBoard | undefined;
  readonly log: Log;
  readonly sentinel: Pick<SentinelLink, "sendLight" | "connected">;
  readonly spare: Pick<SpareRoom, "config" | "state">;
  readonly configuration: Pick<Configuration, "inForce">;
  readonly alarms: Pick<AlarmBoard, "alarms" | "set">;
  /** Undefined while it is being opened. */
  readonly access: () => Pick<AccessRoom, "state"> | undefined;
  readonly status: () => SentinelStatus | undefined;
  readonly onChange: () => void;
}

/** It says something once a second, once it has orders. */
const SENTINEL_SILENT = seconds(3);

export function panelOfCore(options: PanelOfCore): PanelRoom {
  const { hal, board: chosen, sentinel, alarms } = options;
  const silence = new Silence();
  return new PanelRoom({
    ...options,
    board: hal.board,
    clock: hal.clock,
    chosen,
    sendLight: (light) => sentinel.sendLight(light),
    setAlarm: (kind, subject, sentence) => alarms.set(kind, subject, sentence),
    facts: () => factsOf(options, silence.isLong(options.status(), hal.clock.now())),
  });
}

/** Each status is another object, though it says the same. */
class Silence {
  #last: SentinelStatus | undefined;
  #since: Instant | undefined;

  isLong(status: SentinelStatus | undefined, now: Instant): boolean {
    if (status !== this.#last || this.#since === undefined) {
      this.#last = status;
      this.#since = now;
    }
    return status !== undefined && between(this.#since, now) > SENTINEL_SILENT;
  }
}

function factsOf(options: PanelOfCore, isSilent: boolean): PanelFacts {
  const { sentinel, spare, configuration, alarms, access } = options;
  const status = options.status();
  const claimed = configuration.inForce !== undefined || access()?.state.claimed !== false;
  const all = [...(status?.alarms ?? []), ...alarms.alarms];
  // What is new out of its carton is not amiss.
  const counted = claimed ? all : all.filter(({ kind }) => kind !== "no-configuration");
  return {
    role: !sentinel.connected || isSilent ? undefined : (status?.role ?? "initialize"),
    peer: status?.peer === undefined ? "none" : status.peer.alive ? "alive" : "lost",
    alarms: counted.length,
    claimed,
    mayActivate: spare.config.cold && standing(spare.config, spare.state).part === "spare",
  };
}
