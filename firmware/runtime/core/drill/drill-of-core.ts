/** The drills of a box, put together from the parts of its core. */
import type { Resolved } from "../../../config/resolved.ts";
import type { Alarm, SentinelEvent, SentinelStatus } from "../../messages.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Configuration } from "../configuration.ts";
import type { Pair } from "../pair.ts";
import type { Standing } from "../pairing/standing.ts";
import type { ReplicationKeeper } from "../replication/replication-keeper.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import type { Serving } from "../serving.ts";
import { DrillRoom, type DrillRoomOptions } from "./drill-room.ts";
import type { KeptDrills } from "./kept-drills.ts";

export interface DrillParts extends Pick<DrillRoomOptions, "hal" | "stateDirectory" | "onChange"> {
  readonly standing: Standing;
  readonly kept: KeptDrills;
  readonly configuration: Configuration;
  readonly alarms: AlarmBoard;
  readonly serving: Serving;
  readonly replication: ReplicationKeeper;
  readonly sentinel: SentinelLink;
  readonly status: () => SentinelStatus | undefined;
  /** Undefined while it is down. */
  readonly link: () => Pair | undefined;
  readonly onEvent: (event: SentinelEvent) => void;
}

export function drillOfCore(parts: DrillParts): DrillRoom {
  const { hal, stateDirectory, standing, kept, configuration, alarms, onChange, status } = parts;
  const config = () => configuration.inForce?.resolved;
  const all = (): readonly Alarm[] => [...(status()?.alarms ?? []), ...alarms.alarms];
  return new DrillRoom({
    hal,
    stateDirectory,
    box: standing.credentials && standing.box,
    kept,
    config,
    revision: () => configuration.inForce?.revision.id ?? "",
    sentinel: status,
    standing: () => ({ linked: parts.link() !== undefined, told: parts.replication.isTold, alarms: all() }),
    connections: (groups) => connectionsOf(parts, config(), groups),
    command: (command) => parts.sentinel.command(command),
    send: (message) => parts.link()?.send(message),
    tell: (event) => {
      const at = new Date().toISOString();
      parts.onEvent({ ...event, at, group: undefined, from: undefined, to: undefined });
    },
    setAlarm: (kind, sentence) => alarms.set(kind, "", sentence),
    onChange,
  });
}

async function connectionsOf(
  { serving, replication }: DrillParts,
  config: Resolved | undefined,
  groups: ReadonlySet<string>,
): Promise<number> {
  await serving.countFlows();
  const services = (config?.services ?? []).filter(({ group }) => groups.has(group));
  return services.reduce((sum, service) => sum + replication.connections(service).established, 0);
}
