/** The link to the peer's core while there is a peer to have one with, and which room what comes over it is for. */
import type { Hal } from "@futago/hal/contract/hal.ts";
import { heartbeatPortDefault } from "../../config/defaults.ts";
import type { Resolved } from "../../config/resolved.ts";
import type { SentinelEvent, SentinelStatus } from "../messages.ts";
import type { ControlHandlers } from "./control/control-server.ts";
import type { DrillMethods } from "../control-drill.ts";
import type { PortsMethods } from "../control-ports.ts";
import { boxesOfCore } from "./boxes/boxes-of-core.ts";
import type { BoxesRoom } from "./boxes/boxes-room.ts";
import { drillHandlers } from "./drill/drill-handlers.ts";
import type { AccessRoom } from "./access/access-room.ts";
import type { AlarmBoard } from "./alarm-board.ts";
import type { Committer } from "./commit/committer.ts";
import type { Configuration } from "./configuration.ts";
import type { Toolbox } from "./control/toolbox.ts";
import { drillOfCore } from "./drill/drill-of-core.ts";
import type { DrillRoom } from "./drill/drill-room.ts";
import type { KeptDrills } from "./drill/kept-drills.ts";
import type { Log } from "./log.ts";
import type { NetworkKeeper } from "./network/network-keeper.ts";
import { Pair } from "./pair.ts";
import type { PairingRoom } from "./pairing/pairing-room.ts";
import type { Standing } from "./pairing/standing.ts";
import type { ReplicationKeeper } from "./replication/replication-keeper.ts";
import type { SentinelLink } from "./sentinel-link.ts";
import type { Serving } from "./serving.ts";
import type { ActivationMemory } from "./spare/activation-memory.ts";
import { SpareRoom } from "./spare/spare-room.ts";
import { Timeline } from "./timeline/timeline.ts";
import type { Turns } from "./turns.ts";
import { type UpdateOfCore, updateOfCore } from "./update/update-of-core.ts";
import type { PairRoom } from "./update/pair-room.ts";
import type { UpdateRoom } from "./update/update-room.ts";

export interface PairRooms
  extends Pick<UpdateOfCore, "maintenance" | "end" | "reset" | "isWebWanted" | "updater" | "pace"> {
  readonly hal: Hal;
  readonly log: Log;
  readonly standing: Standing;
  readonly memory: ActivationMemory;
  readonly configuration: Configuration;
  readonly committer: Committer;
  readonly network: NetworkKeeper;
  readonly sentinel: SentinelLink;
  readonly serving: Serving;
  readonly replication: ReplicationKeeper;
  readonly pairing: PairingRoom;
  readonly toolbox: Toolbox;
  readonly turns: Turns;
  readonly kept: KeptDrills;
  /** Undefined while it is being opened. */
  readonly access: () => AccessRoom | undefined;
  readonly alarms: AlarmBoard;
  readonly stateDirectory: string;
  readonly setAlarm: (kind: string, sentence: string | undefined) => void;
  readonly status: () => SentinelStatus | undefined;
  /** The peer told its revision, or the link came or went. */
  readonly onPeer: () => void;
  readonly onEvent: (event: SentinelEvent) => void;
  /** Something that the status shows. */
  readonly onChange: () => void;
  readonly count: (name: string) => void;
}

export class PairLink {
  readonly #rooms: PairRooms;
  /** Who of the two serves in a cold pair. */
  readonly spare: SpareRoom;
  /** Whether the other one takes over. */
  readonly drill: DrillRoom;
  /** What happened to the roles, on both. */
  readonly timeline: Timeline;
  /** Both as things with ports. */
  readonly boxes: BoxesRoom;
  /** What runs on this box, and what may. */
  readonly update: UpdateRoom;
  /** What is to run on both. */
  readonly pairUpdate: PairRoom;
  #pair: Pair | undefined;

  constructor(rooms: PairRooms) {
    this.#rooms = rooms;
    this.spare = new SpareRoom({
      ...rooms,
      inForce: () => rooms.configuration.inForce,
      inTurn: (change) => rooms.turns.take(change),
      tell: (activation) => this.#pair?.tellActivation(activation),
    });
    const link = () => (this.#pair?.up === true ? this.#pair : undefined);
    this.drill = drillOfCore({ ...rooms, link });
    this.timeline = new Timeline(rooms.standing.box, link);
    this.boxes = boxesOfCore({
      ...rooms,
      link,
      lastDrill: () => this.drill.last,
      urls: () => rooms.access()?.web.urls ?? [],
    });
    const updates = updateOfCore({
      ...rooms,
      link,
      busy: () => (this.drill.shown().running === null ? undefined : "a drill is under way"),
      inTurn: (change) => rooms.turns.take(change),
    });
    this.update = updates.room;
    this.pairUpdate = updates.pair;
  }

  /** Its part of what can be asked. */
  get handlers(): Pick<ControlHandlers, keyof DrillMethods | keyof PortsMethods> {
    return { ...drillHandlers(this.drill), boxes: () => this.boxes.boxes() };
  }

  get pair(): Pair | undefined {
    return this.#pair;
  }

  setStatus(status: SentinelStatus): void {
    this.spare.setStatus(status);
    this.boxes.lookAtPeer();
  }

  onEvent(event: SentinelEvent): void {
    this.timeline.add(event);
    this.drill.onEvent(event);
  }

  /** Boxes that were paired are linked before they have a configuration: both get the first one. */
  open(resolved: Resolved | undefined): void {
    const { standing, replication, status } = this.#rooms;
    const { box, credentials, pairing } = standing;
    // What is of a box alone stays with it: on the other one it would be the same addresses again.
    const port = resolved === undefined ? pairing && heartbeatPortDefault : resolved.pair?.heartbeat.port;
    replication.setPaired(resolved?.pair !== undefined && credentials !== undefined);
    if (this.#pair !== undefined && this.#pair.port === port) return;
    this.#shut();
    if (port === undefined || box === undefined || credentials === undefined) return;
    this.#pair = new Pair({ box, port, credentials, met: pairing?.met, ...this.#listeners() });
    this.#pair.setAddresses(status()?.peer?.addresses ?? []);
  }

  close(): void {
    this.spare.close();
    this.drill.close();
    this.boxes.close();
    this.update.close();
    this.pairUpdate.close();
    this.#shut();
  }

  #shut(): void {
    this.#pair?.close();
    this.#pair = undefined;
  }

  #listeners(): Omit<ConstructorParameters<typeof Pair>[0], "box" | "port" | "credentials" | "met"> {
    const { configuration, committer, pairing, serving, replication, toolbox, sentinel, access } = this.#rooms;
    return {
      revision: () => configuration.inForce?.revision.id ?? "",
      onChange: this.#rooms.onPeer,
      onTold: (pools) => serving.setTold(pools),
      pictureOf: (pool) => serving.picture(pool),
      poolNames: () => serving.poolNames,
      onStale: (hosts) => sentinel.sendStale(hosts),
      onDrains: (drains) => void toolbox.mergeDrains(drains),
      onRotation: (text) => pairing.rotation?.hear(text),
      onFarewell: () => void pairing.peerLeft(),
      mayMove: () => committer.isQuiet && this.drill.shown().running === null,
      wantsFlows: () => replication.status !== undefined,
      onFlows: (socket) => replication.attach(socket),
      wantsBundle: () => this.pairUpdate.wantsBundle,
      onBundle: (socket) => this.pairUpdate.attachBundle(socket),
      onLink: (up) => {
        committer.setLink(up);
        this.spare.setLink(up);
        this.boxes.setLink(up);
        this.pairUpdate.setLink(up);
        access()?.sync.setLink(up ? this.#pair : undefined);
      },
      onArriving: (length) => committer.arriving(length),
      onCommitMessage: (message) => committer.receive(message),
      onBoxMessage: (message) => this.boxes.receive(message),
      onDrillMessage: (message) => this.drill.receive(message),
      onAccessMessage: (message) => access()?.sync.receive(message),
      onTimelineMessage: (message) => this.timeline.receive(message),
      onUpdateMessage: (message) => this.pairUpdate.receive(message),
      onActivation: (activation) => this.spare.receive(activation),
      count: this.#rooms.count,
    };
  }
}
