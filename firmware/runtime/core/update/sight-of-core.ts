/** What a core sees of its box, for an update that is watched: put together from its parts. */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Sight, Traffic } from "../../../update/pair-compare.ts";
import type { SentinelStatus } from "../../messages.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Configuration } from "../configuration.ts";
import type { Serving } from "../serving.ts";
import { readTraffic } from "../trace/traffic.ts";
import { ALARMS_MAX, VIPS_MAX } from "./update-message.ts";
import { VipEchoes } from "./vip-echoes.ts";

export interface SeenByCore {
  readonly hal: Pick<Hal, "icmp" | "network">;
  readonly configuration: Pick<Configuration, "inForce">;
  readonly serving: Pick<Serving, "balancer" | "own">;
  readonly alarms: Pick<AlarmBoard, "alarms">;
  readonly status: () => SentinelStatus | undefined;
}

const NO_TRAFFIC: Traffic = { flows: 0, packetsIn: 0, packetsOut: 0 };

export class SightOfCore {
  readonly #parts: SeenByCore;
  readonly #echoes: VipEchoes;

  constructor(parts: SeenByCore) {
    this.#parts = parts;
    this.#echoes = new VipEchoes({
      hal: parts.hal,
      config: () => parts.configuration.inForce?.resolved,
      groups: () => parts.status()?.groups ?? [],
    });
  }

  /** Traffic and VIPs are looked at only while somebody watches. `onSilent`: a VIP has just stopped answering. */
  look(isWatched: boolean, onSilent?: () => void): Sight {
    const { serving, alarms, status } = this.#parts;
    const groups = status()?.groups ?? [];
    const { answering, silent } = isWatched ? this.#echoes.look(onSilent) : { answering: [], silent: [] };
    const kinds = [...(status()?.alarms ?? []), ...alarms.alarms].map(({ kind }) => kind);
    return {
      groups: groups.length,
      holds: groups.filter(({ state }) => state === "active").length,
      alarms: [...new Set(kinds)].slice(0, ALARMS_MAX),
      ...serving.own,
      traffic: isWatched ? this.#traffic() : NO_TRAFFIC,
      answering: answering.slice(0, VIPS_MAX),
      silent: silent.slice(0, VIPS_MAX),
    };
  }

  close(): void {
    this.#echoes.close();
  }

  #traffic(): Traffic {
    const { configuration, serving } = this.#parts;
    const services = configuration.inForce?.resolved.services ?? [];
    return services
      .map((service) => readTraffic(serving.balancer, service).service)
      .reduce(
        (sum, { flows, packetsIn, packetsOut }) => ({
          flows: sum.flows + flows,
          packetsIn: sum.packetsIn + packetsIn,
          packetsOut: sum.packetsOut + packetsOut,
        }),
        NO_TRAFFIC,
      );
  }
}
