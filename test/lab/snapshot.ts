/** One moment of the lab as plain values: what the live view draws. */
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import type { Component, Power, WebShown } from "./box.ts";
import type { LabEvent } from "./event-log.ts";
import type { Lab } from "./lab.ts";
import type { HttpCounts } from "./http-load.ts";
import type { ModeCounts } from "./modes.ts";
import { monotonicMicros } from "./prober.ts";
import { isBackend, type ServerName } from "./scenario.ts";
import { type Box, BOXES, type Port } from "./topology.ts";
import { failuresOf } from "./traffic.ts";

export interface BoxSnapshot {
  readonly box: Box;
  readonly power: Power;
  /** The ports that the box has, and whether each is plugged. */
  readonly cables: Readonly<Partial<Record<Port, boolean>>>;
  /** Which of Futago's processes run. */
  readonly components: Readonly<Record<Component, boolean>>;
  /** What the box says; undefined while it says nothing. */
  readonly status: BoxStatus | undefined;
}

export interface ServerSnapshot {
  readonly name: ServerName;
  readonly alive: boolean;
  /** As the active box sees it, or the box it runs on; undefined while that says nothing. */
  readonly healthy: boolean | undefined;
  readonly reason: string;
  /** Of the new connections of the last second, 0 to 1. */
  readonly share: number;
}

/** Of a service that is not `nat` over TCP. */
export interface ModeSnapshot {
  readonly name: "one-arm" | "direct" | "udp";
  readonly perSecond: number;
  /** Requests that failed, or datagrams that were not answered. */
  readonly lost: number;
  /** Connections that are open, or clients that send datagrams. */
  readonly kept: number;
  /** Connections that were ended, or clients that found themselves at another server. */
  readonly broken: number;
}

export interface LabSnapshot {
  readonly at: Date;
  /** The address that is probed. */
  readonly vip: string;
  readonly boxes: readonly BoxSnapshot[];
  readonly servers: readonly ServerSnapshot[];
  readonly answering: boolean;
  /** How long the VIP has been silent now, in microseconds, while it is. */
  readonly silentMicros: number;
  readonly clientSendsTo: Box | undefined;
  readonly probesPerSecond: number;
  readonly probesLost: number;
  readonly lastGapMicros: number | undefined;
  readonly requestsPerSecond: number;
  readonly requestsFailed: number;
  readonly keptOpen: number;
  readonly keptBroken: number;
  /** Undefined in a scenario without one. */
  readonly stream: { readonly megabitsPerSecond: number; readonly alive: boolean } | undefined;
  /** Empty in a scenario without them. */
  readonly modes: readonly ModeSnapshot[];
  /** The web UIs, and the codes of those that nobody claimed yet. */
  readonly web: readonly WebShown[];
  readonly events: readonly LabEvent[];
}

interface Sample {
  readonly at: number;
  readonly answered: number;
  readonly served: number;
  readonly byServer: Readonly<Record<string, number>>;
  readonly modes: ModeCounts | undefined;
}

const COMPONENTS: readonly Component[] = ["core", "sentinel", "pulse"];
const WEB_MICROS = 2_000_000;
const RATE_WINDOW_MICROS = 1_000_000;
/** A tick may be a tenth of a second old; an answer older than this before it is a silence. */
const SILENT_AFTER_MICROS = 30_000;

/** Takes snapshots and remembers the last second's counts, from which the rates come. */
export class SnapshotTaker {
  readonly #lab: Lab;
  #samples: readonly Sample[] = [];
  #web: readonly WebShown[] = [];
  #lookingSince: number | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async take(eventsMax: number): Promise<LabSnapshot> {
    const lab = this.#lab;
    this.#lookForWeb();
    const { tick } = lab.prober;
    const counts = lab.http.counts;
    const now: Sample = {
      at: monotonicMicros(),
      answered: tick.answered,
      served: counts.served,
      byServer: counts.byServer,
      modes: lab.modes?.counts,
    };
    this.#samples = [...this.#samples.filter((sample) => now.at - sample.at <= RATE_WINDOW_MICROS), now];
    const [oldest = now] = this.#samples;
    const perSecond = (gained: number) => (now.at === oldest.at ? 0 : (gained * 1_000_000) / (now.at - oldest.at));
    const silentMicros = tick.at - tick.lastAnswerAt;
    return {
      at: new Date(),
      vip: lab.vip,
      boxes: BOXES.map((box) => this.#box(box)),
      servers: lab.scenario.servers.map((name) => this.#server(name, oldest, now)),
      answering: silentMicros < SILENT_AFTER_MICROS,
      silentMicros,
      clientSendsTo: await lab.clientSendsTo(),
      probesPerSecond: perSecond(now.answered - oldest.answered),
      probesLost: tick.lost,
      lastGapMicros: lab.observer.lastGapMicros,
      requestsPerSecond: perSecond(now.served - oldest.served),
      requestsFailed: lab.http.failures,
      keptOpen: counts.keptOpen,
      keptBroken: counts.keptBroken,
      stream:
        lab.stream === undefined
          ? undefined
          : { megabitsPerSecond: lab.stream.megabitsPerSecond, alive: lab.stream.alive },
      modes: modesOf(oldest, now, perSecond),
      web: this.#web,
      events: lab.log.latest(eventsMax),
    };
  }

  /** Now and then, and for the next snapshot: a frozen box answers late or never. */
  #lookForWeb(): void {
    const now = monotonicMicros();
    if (this.#lookingSince !== undefined && now - this.#lookingSince < WEB_MICROS) return;
    void this.#lookAtWeb();
  }

  async #lookAtWeb(): Promise<void> {
    this.#lookingSince = Number.POSITIVE_INFINITY;
    this.#web = await this.#lab.web();
    this.#lookingSince = monotonicMicros();
  }

  #box(name: Box): BoxSnapshot {
    const box = this.#lab.boxes[name];
    const { ports } = this.#lab.scenario.layout;
    const cables = Object.fromEntries(ports.map((port) => [port, box.isPlugged(port)]));
    const components = Object.fromEntries(
      COMPONENTS.map((component) => [component, box.pidsOf(component).length > 0]),
    ) as Record<Component, boolean>;
    return { box: name, power: box.power, cables, components, status: box.feed.latest };
  }

  #server(name: ServerName, oldest: Sample, now: Sample): ServerSnapshot {
    const gained = (now.byServer[name] ?? 0) - (oldest.byServer[name] ?? 0);
    const all = now.served - oldest.served;
    return {
      name,
      alive: this.#lab.server(name).alive,
      ...(isBackend(name) ? this.#backendHealth(name) : this.#boxHealth(name)),
      share: all === 0 ? 0 : gained / all,
    };
  }

  /** As the active box sees it. */
  #backendHealth(name: ServerName): Pick<ServerSnapshot, "healthy" | "reason"> {
    const [active] = this.#lab.activeBoxes();
    const services = active === undefined ? [] : (this.#lab.boxes[active].feed.latest?.services ?? []);
    const backend = services.find((service) => service.name === "www")?.backends.find((found) => found.name === name);
    return { healthy: backend?.healthy, reason: backend?.reason ?? "" };
  }

  /** As the box says of itself. */
  #boxHealth(name: Box): Pick<ServerSnapshot, "healthy" | "reason"> {
    const status = this.#lab.boxes[name].feed.latest;
    const unfit = status?.alarms.find((alarm) => alarm.kind === "unfit");
    return { healthy: status === undefined ? undefined : unfit === undefined, reason: unfit?.sentence ?? "" };
  }
}

function modesOf(oldest: Sample, now: Sample, perSecond: (gained: number) => number): readonly ModeSnapshot[] {
  if (now.modes === undefined || oldest.modes === undefined) return [];
  const http = (name: "one-arm" | "direct", counts: HttpCounts, before: HttpCounts): ModeSnapshot => ({
    name,
    perSecond: perSecond(counts.served - before.served),
    lost: failuresOf(counts),
    kept: counts.keptOpen,
    broken: counts.keptBroken,
  });
  const { answered, lost, clients, moved } = now.modes.datagrams;
  const gained = answered - oldest.modes.datagrams.answered;
  return [
    http("one-arm", now.modes.oneArm, oldest.modes.oneArm),
    http("direct", now.modes.direct, oldest.modes.direct),
    { name: "udp", perSecond: perSecond(gained), lost, kept: clients, broken: moved },
  ];
}
