/** Where `futago status` has from what it says. */
import { JsonInPieces } from "../json-pieces.ts";
import type { SentinelStatus } from "../messages.ts";
import type { AlarmBoard } from "./alarm-board.ts";
import type { Candidate } from "./candidate/candidate.ts";
import type { Parts } from "./core-options.ts";
import type { PairLink } from "./pair-link.ts";
import type { PanelRoom } from "./panel/panel-room.ts";
import type { ReplicationKeeper } from "./replication/replication-keeper.ts";
import type { Serving } from "./serving.ts";
import { statusText } from "./status.ts";

export interface SeenParts extends Parts {
  /** Undefined while it is being opened. */
  readonly candidate: Candidate | undefined;
  /** Undefined while the sentinel is away. */
  readonly sentinel: SentinelStatus | undefined;
  readonly serving: Serving;
  readonly replication: ReplicationKeeper;
  readonly link: PairLink;
  readonly panel: PanelRoom;
  readonly alarms: AlarmBoard;
  /** What core counted, by name. */
  readonly counted: ReadonlyMap<string, number>;
}

/** `only` names the services that are shown; undefined: all of them. */
export function statusOfCore(only: ReadonlySet<string> | undefined, parts: SeenParts): JsonInPieces {
  const { configuration, committer, standing, drains, serving, replication, link, sentinel } = parts;
  const { inForce } = configuration;
  const sources = {
    standing,
    linked: link.pair?.up === true,
    config: inForce?.resolved,
    revision: inForce?.revision.id ?? "",
    system: parts.system,
    editors: parts.candidate?.authors ?? [],
    unconfirmed: committer.unconfirmed,
    sentinel,
    serving,
    drains: drains.names,
    replication,
    activation: link.spare.shown,
    lastDrill: link.drill.last,
    survival: link.boxes.survival,
    panel: parts.panel.shown,
    alarms: parts.alarms.alarms,
    counters: { ...serving.counters(), ...Object.fromEntries(parts.counted) },
  };
  return new JsonInPieces(statusText(sources, only));
}
