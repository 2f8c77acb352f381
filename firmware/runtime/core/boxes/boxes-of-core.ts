/** Both boxes, put together from the parts of this one's core. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { judgeSurvival } from "../../../pair/survival/judge.ts";
import type { SurvivalFacts } from "../../../pair/survival/types.ts";
import type { LastDrill } from "../../control-drill.ts";
import type { SentinelStatus } from "../../messages.ts";
import { releaseOf } from "../../release.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import type { Pair } from "../pair.ts";
import type { Standing } from "../pairing/standing.ts";
import type { ReplicationKeeper } from "../replication/replication-keeper.ts";
import type { Serving } from "../serving.ts";
import { BoxesRoom } from "./boxes-room.ts";
import { ownBox, ownFacts } from "./own-box.ts";

export interface BoxesParts {
  readonly hal: Pick<Hal, "network" | "clock">;
  readonly log: Log;
  readonly standing: Standing;
  readonly configuration: Configuration;
  readonly alarms: AlarmBoard;
  readonly network: NetworkKeeper;
  readonly serving: Serving;
  readonly replication: ReplicationKeeper;
  readonly status: () => SentinelStatus | undefined;
  /** Undefined while it is down. */
  readonly link: () => Pair | undefined;
  readonly lastDrill: () => LastDrill | null;
  /** Where the web UI of this box listens. */
  readonly urls: () => readonly string[];
}

const MICROS = 1_000_000;

export function boxesOfCore(parts: BoxesParts): BoxesRoom {
  const { hal, network, status } = parts;
  const counters = countersOf(parts);
  const known = () => ({
    config: configOf(parts),
    revision: parts.configuration.inForce?.revision.id ?? "",
    sentinel: status(),
    alarms: parts.alarms.alarms,
    told: parts.replication.isTold,
    links: network.links,
  });
  return new BoxesRoom({
    link: parts.link,
    peerAlive: () => status()?.peer?.alive === true,
    ownFacts: () => ownFacts(known()),
    own: async () => {
      const [statistics, speeds] = await counters();
      return ownBox({
        ...known(),
        box: letterOf(parts),
        version: releaseOf(),
        addresses: network.addresses,
        virtualAddresses: network.virtualAddresses,
        statistics,
        speeds,
        uptimeSeconds: Math.floor(hal.clock.now() / MICROS),
        at: new Date().toISOString(),
        urls: parts.urls(),
      });
    },
    judge: (told, clockOffsetMillis) =>
      judgeSurvival({ ...survivalFacts(parts), own: ownFacts(known()), told, clockOffsetMillis }),
  });
}

function configOf({ configuration }: BoxesParts): Resolved | undefined {
  return configuration.inForce?.resolved;
}

/** A paired box has its letter before it has a configuration. */
function letterOf(parts: BoxesParts): string {
  const config = configOf(parts);
  return (config === undefined ? parts.standing.box : config.box) ?? "alone";
}

function survivalFacts(parts: BoxesParts): Omit<SurvivalFacts, "own" | "told" | "clockOffsetMillis"> {
  const { standing, status, serving, lastDrill } = parts;
  const config = configOf(parts);
  const peer = status()?.peer;
  const drill = lastDrill();
  const deviceOf = (name: string) => config?.interfaces.find((one) => one.name === name)?.device ?? name;
  return {
    pairing: standing.kind,
    box: letterOf(parts),
    peer: config?.pair === undefined ? undefined : peer && { alive: peer.alive, role: peer.role },
    paths: (peer?.paths ?? []).map(({ interface: name, alive }) => ({
      interface: name,
      device: deviceOf(name),
      alive,
    })),
    linked: parts.link() !== undefined,
    cold: config?.pair?.standby === "cold",
    unshared: (config?.services ?? [])
      .filter((service) => service.protocol === "tcp" && serving.fallback.attachmentOf(service).attach === "nftables")
      .map(({ name }) => name),
    drill: drill === null ? undefined : { at: Date.parse(drill.provenAt ?? drill.at), passed: drill.passed },
    now: Date.now(),
  };
}

type Counters = readonly [
  Awaited<ReturnType<Hal["network"]["statistics"]>>,
  Awaited<ReturnType<Hal["network"]["speeds"]>>,
];

/** Speeds are asked for when a link changed: a driver may have to ask its hardware, which takes a while. */
function countersOf({ hal, log, network }: BoxesParts): () => Promise<Counters> {
  let of: readonly Link[] | undefined;
  let speeds: ReadonlyMap<Ifindex, number> = new Map();
  return async () => {
    try {
      const { links } = network;
      if (of !== links) speeds = await hal.network.speeds();
      of = links;
      return [await hal.network.statistics(), speeds];
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      // The picture is drawn without figures, and the next one is tried anew.
      log.warn("counters-unreadable", { error: error.message });
      return [[], speeds];
    }
  };
}
