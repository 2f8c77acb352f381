/** Where the update room of a core has from what it needs. */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { AccessRoom } from "../access/access-room.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import type { Pair } from "../pair.ts";
import { type PowerOptions, reboot } from "../power.ts";
import type { ReplicationKeeper } from "../replication/replication-keeper.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import type { SentinelStatus } from "../../messages.ts";
import { lookAt } from "./look.ts";
import { updaterAt } from "./updater-client.ts";
import { UpdateRoom } from "./update-room.ts";

export interface UpdateOfCore extends Omit<PowerOptions, "configuration" | "sentinel"> {
  readonly sentinel: SentinelLink;
  readonly hal: Pick<Hal, "clock">;
  readonly log: Log;
  readonly alarms: AlarmBoard;
  readonly configuration: Configuration;
  readonly network: NetworkKeeper;
  readonly replication: ReplicationKeeper;
  readonly access: () => AccessRoom | undefined;
  readonly link: () => Pair | undefined;
  readonly status: () => SentinelStatus | undefined;
  readonly isWebWanted: boolean;
  /** The updater's socket; undefined where the box is no appliance. */
  readonly updater: string | undefined;
}

/** Ports with a link, as they were before the update. */
const SETTING = "updatePorts";

export function updateOfCore(options: UpdateOfCore): UpdateRoom {
  const { hal, configuration, network, replication, access, link, status } = options;
  const looked = {
    ...options,
    replication: () => replication.status,
    isLinked: () => link() !== undefined,
    listening: () => access()?.web.listening,
    portsBefore: async () => portsOf(await configuration.setting(SETTING)),
  };
  return new UpdateRoom({
    ...options,
    clock: hal.clock,
    updater: options.updater === undefined ? undefined : updaterAt(options.updater),
    look: (updater) => lookAt(looked, updater),
    isServing: () => status()?.role === "active",
    keepPorts: async () => {
      const named = new Set(configuration.inForce?.resolved.interfaces.map(({ device }) => device));
      const alive = network.links.filter(({ ifname, carrier }) => carrier && named.has(ifname));
      await configuration.putSetting(SETTING, JSON.stringify(alive.map(({ ifname }) => ifname)));
    },
    reboot: (force) => reboot(force, options),
  });
}

function portsOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : (JSON.parse(text) as readonly string[]);
}
