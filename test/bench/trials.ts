/** The trials of the silence bench, one function each: a fresh pair is harmed once and watched. */
import { setTimeout as wait } from "node:timers/promises";
import { cutPower } from "../lab/box.ts";
import { signalAll } from "../lab/processes.ts";
import { longestSilence, longestStall, monotonicMicros, Prober } from "../lab/prober.ts";
import { BOXES, type Box, boxMac, VIP } from "../lab/topology.ts";
import type { Contender } from "./contender.ts";
import { Pair } from "./pair.ts";

export interface SilenceTrial {
  readonly silenceMillis: number;
  /** The longest stall of the machine within the silence. */
  readonly stallMillis: number;
  readonly probesLost: number;
}

export interface FrozenTrial extends SilenceTrial {
  /** From SIGSTOP to the last ARP answer of the frozen box; undefined: it never stopped answering. */
  readonly silentAfterMillis: number | undefined;
  /** ARP requests, one a millisecond, that both boxes answered. */
  readonly answeredByBoth: number;
}

/** The harm falls anywhere between two advertisements. */
const PHASE_MILLIS_MAX = 1_000;
/** The prober gives an echo half a second before it is lost. */
const LOST_SETTLE_MILLIS = 800;
const FROZEN_WATCH_MILLIS = 5_000;

export async function powerLossTrial(contender: Contender): Promise<SilenceTrial> {
  return onPair(contender, async (pair, active) => {
    const lostBefore = pair.prober.tick.lost;
    const at = await cutPower(pair.topology, active);
    return silenceSince(pair, at, lostBefore, at);
  });
}

export async function handOverTrial(contender: Contender): Promise<SilenceTrial> {
  return onPair(contender, async (pair, active) => {
    const lostBefore = pair.prober.tick.lost;
    const at = monotonicMicros();
    await contender.handOver({ box: active, running: pair.process(active), directory: pair.directory });
    await moved(pair, active);
    return silenceSince(pair, at, lostBefore);
  });
}

/** SIGSTOP to everything of the active box; its cables stay, and so does its kernel. */
export async function frozenTrial(contender: Contender): Promise<FrozenTrial> {
  return onPair(contender, async (pair, active) => {
    const watch = await Prober.start(pair.topology.gateway, { address: VIP, arp: true });
    const lostBefore = pair.prober.tick.lost;
    const pids = pair.pids(active);
    const at = monotonicMicros();
    signalAll(pids, "SIGSTOP");
    await wait(FROZEN_WATCH_MILLIS);
    const mac = boxMac(active, "wan");
    const silent = watch.linesOf("silent", at).find((line) => line.mac === mac);
    const { arpBoth } = watch.tick;
    await watch.stop();
    const trial = await silenceSince(pair, at, lostBefore);
    const silentAfterMillis = silent === undefined ? undefined : Math.max(0, silent.at - at) / 1_000;
    return { ...trial, silentAfterMillis, answeredByBoth: arpBoth };
  });
}

async function onPair<T>(contender: Contender, harm: (pair: Pair, active: Box) => Promise<T>): Promise<T> {
  const pair = await Pair.start(contender);
  try {
    await wait(Math.random() * PHASE_MILLIS_MAX);
    return await harm(pair, await pair.active());
  } finally {
    await pair.destroy();
  }
}

/** The client's neighbour entry points to the other box. */
async function moved(pair: Pair, from: Box): Promise<void> {
  const deadline = Date.now() + 20_000;
  while ((await pair.active()) === from) {
    if (Date.now() > deadline) throw new Error(`${pair.contender.name}: the VIP stays on ${from}`);
    await wait(10);
  }
}

async function silenceSince(pair: Pair, at: number, lostBefore: number, cutAt?: number): Promise<SilenceTrial> {
  // Until the last cable is down, the kernel of a box without power still answers.
  const back = await pair.answersAfter(cutAt === undefined ? at : monotonicMicros());
  await wait(LOST_SETTLE_MILLIS);
  if (!back) throw new Error(`${pair.contender.name}: the VIP never answered again; boxes: ${BOXES.join(" ")}`);
  const silence = longestSilence(pair.prober, at, cutAt);
  return {
    silenceMillis: (silence?.micros ?? 0) / 1_000,
    stallMillis: (silence?.stallMicros ?? longestStall(pair.prober, at, monotonicMicros())) / 1_000,
    probesLost: pair.prober.tick.lost - lostBefore,
  };
}
