/** The ways in which a pair can be hurt, one at a time, chosen by chance. */
import type { Network, Side } from "./network.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./run.ts";

export function breakSomething(simulation: Simulation): void {
  const { random, network, now } = simulation;
  const side = random.whole(0, 1) as Side;
  const box = simulation.boxes[side];
  const later = (low: number, high: number, run: () => void) =>
    simulation.queue.add(now + random.whole(low, high), run);
  const faults: readonly [() => void, ...(() => void)[]] = [
    () => {
      box.powerOff();
      if (random.chance(0.6)) later(100_000, 900_000, () => box.powerOn());
    },
    () => {
      simulation.freeze(side);
      later(5_000, 400_000, () => simulation.thaw(side));
    },
    () => {
      box.freezeSentinel();
      later(10_000, 500_000, () => box.thawSentinel());
    },
    () => box.killSentinel(),
    () => box.killPulse(),
    () => cutPaths(simulation),
    () => cutPaths(simulation),
    () => cutOneWay(simulation, side),
    () => makeLossy(network, random),
    () => makeSlow(network, random),
    () => box.setFitness(random.pick([255, 155, 55])),
    () => box.order({ kind: "switchover", group: undefined }),
    () => box.order({ kind: "switchover", group: undefined }),
    () => box.order({ kind: "maintenance", on: random.chance(0.6) }),
    () => box.setWitness(false),
    () => network.heal(now),
  ];
  random.pick(faults)();
}

function cutPaths(simulation: Simulation): void {
  const { random, network, now } = simulation;
  const subset = random.whole(1, 2 ** network.paths.length - 1);
  simulation.note(`   paths cut: ${subset.toString(2)}`);
  network.paths.forEach((_, path) => {
    const up = (subset & (1 << path)) === 0;
    for (const from of [0, 1] as const) network.set(path, from, up, now);
  });
  if (random.chance(0.5)) simulation.queue.add(now + random.whole(20_000, 500_000), () => network.heal(simulation.now));
}

function cutOneWay(simulation: Simulation, from: Side): void {
  const { random, network, now } = simulation;
  const all = random.chance(0.6);
  simulation.note(`   ${from === 0 ? "a" : "b"} is no longer heard${all ? "" : " on some paths"}`);
  network.paths.forEach((_, path) => {
    if (all || random.chance(0.5)) network.set(path, from, false, now);
  });
  if (random.chance(0.5)) simulation.queue.add(now + random.whole(20_000, 500_000), () => network.heal(simulation.now));
}

function makeLossy(network: Network, random: Random): void {
  for (const path of network.paths) for (const direction of path) direction.lossProbability = random.between(0, 0.4);
}

function makeSlow(network: Network, random: Random): void {
  for (const path of network.paths) {
    for (const direction of path) {
      direction.delayMicrosMin = 100;
      direction.delayMicrosMax = random.whole(500, 60_000);
    }
  }
}
