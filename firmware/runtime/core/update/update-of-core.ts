/** Where the rooms of a core for updates have from what they need. */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Micros } from "@futago/hal/units/time.ts";
import { PAIR_TIMES } from "../../../update/pair-update.ts";
import type { PairStanding } from "../../../update/pair-refusals.ts";
import { SOAK } from "../../../update/proof.ts";
import type { AccessRoom } from "../access/access-room.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import type { Committer } from "../commit/committer.ts";
import type { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";
import type { Maintenance } from "../maintenance.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import type { Pair } from "../pair.ts";
import type { Standing } from "../pairing/standing.ts";
import { type PowerOptions, reboot } from "../power.ts";
import type { ReplicationKeeper } from "../replication/replication-keeper.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import type { Serving } from "../serving.ts";
import type { SentinelStatus } from "../../messages.ts";
import { lookAt } from "./look.ts";
import { PairRoom } from "./pair-room.ts";
import { SightOfCore } from "./sight-of-core.ts";
import { updaterAt } from "./updater-client.ts";
import { UpdateRoom } from "./update-room.ts";

/** For so long a new version is proved, and watched while it serves. */
export interface Pace {
  readonly prove: Micros;
  readonly watch: Micros;
}

export interface UpdateOfCore extends Omit<PowerOptions, "configuration" | "sentinel" | "standing" | "maintenance"> {
  readonly sentinel: SentinelLink;
  readonly hal: Hal;
  readonly log: Log;
  readonly alarms: AlarmBoard;
  readonly standing: Standing;
  readonly maintenance: Maintenance;
  readonly configuration: Configuration;
  readonly committer: Committer;
  readonly network: NetworkKeeper;
  readonly serving: Serving;
  readonly replication: ReplicationKeeper;
  readonly access: () => AccessRoom | undefined;
  readonly link: () => Pair | undefined;
  readonly status: () => SentinelStatus | undefined;
  /** What else is under way that moves roles. */
  readonly busy: () => string | undefined;
  readonly isWebWanted: boolean;
  /** The updater's socket; undefined where the box is no appliance. */
  readonly updater: string | undefined;
  /** Undefined: as long as is usual. */
  readonly pace: Pace | undefined;
}

export interface UpdateRooms {
  readonly room: UpdateRoom;
  readonly pair: PairRoom;
}

/** Ports with a link, as they were before the update. */
const SETTING = "updatePorts";

export function updateOfCore(options: UpdateOfCore): UpdateRooms {
  const { hal, configuration, network, replication, access, link, status, pace } = options;
  const updater = options.updater === undefined ? undefined : updaterAt(options.updater);
  const looked = {
    ...options,
    replication: () => replication.status,
    isLinked: () => link() !== undefined,
    listening: () => access()?.web.listening,
    portsBefore: async () => portsOf(await configuration.setting(SETTING)),
  };
  const room = new UpdateRoom({
    ...options,
    clock: hal.clock,
    updater,
    look: (asked) => lookAt(looked, asked),
    isServing: () => status()?.role === "active",
    keepPorts: async () => {
      const named = new Set(configuration.inForce?.resolved.interfaces.map(({ device }) => device));
      const alive = network.links.filter(({ ifname, carrier }) => carrier && named.has(ifname));
      await configuration.putSetting(SETTING, JSON.stringify(alive.map(({ ifname }) => ifname)));
    },
    reboot: (force) => reboot(force, options),
    soak: pace?.prove ?? SOAK,
    pairPart: () => pair.shown,
    onImage: () => void pair.onImage(),
  });
  const pair = pairOf(options, room, updater);
  return { room, pair };
}

function pairOf(
  options: UpdateOfCore,
  room: UpdateRoom,
  updater: ConstructorParameters<typeof PairRoom>[0]["updater"],
): PairRoom {
  const { hal, configuration, standing, sentinel, maintenance, link, status, pace } = options;
  const sight = new SightOfCore(options);
  return new PairRoom({
    ...options,
    clock: hal.clock,
    times: pace === undefined ? PAIR_TIMES : { ...PAIR_TIMES, watch: pace.watch },
    box: standing.credentials && standing.box,
    settings: configuration,
    updater,
    hands: room,
    image: () => room.image,
    proof: () => room.proof,
    sight: (isWatched, onSilent) => Promise.resolve(sight.look(isWatched, onSilent)),
    standing: () => standingOf(options),
    isPaired: () => configuration.inForce?.resolved.pair !== undefined && standing.credentials !== undefined,
    isLinked: () => link() !== undefined,
    onPenalty: (penalties) => sentinel.sendVersion(penalties),
    send: (message) => link()?.sendUpdate(message),
    command: (command) => sentinel.command(command),
    isInMaintenance: () => maintenance.on,
    onClose: () => sight.close(),
    status,
  });
}

function standingOf({ configuration, alarms, replication, link, status, busy, committer }: UpdateOfCore): PairStanding {
  const seen = status();
  const groups = seen?.groups ?? [];
  return {
    isCold: configuration.inForce?.resolved.pair?.standby === "cold",
    peerAlive: seen?.peer?.alive === true,
    linked: link() !== undefined,
    speaks: true,
    role: seen?.role ?? "",
    peerRole: seen?.peer?.role ?? "",
    groups: groups.length,
    held: groups.filter(({ state }) => state === "active").length,
    told: replication.isTold,
    alarms: [...(seen?.alarms ?? []), ...alarms.alarms],
    busy: committer.unconfirmed === null ? busy() : "a configuration waits for somebody to confirm it",
  };
}

function portsOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : (JSON.parse(text) as readonly string[]);
}
