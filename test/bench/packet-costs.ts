/** What packets cost the boxes of balanced-box.ts: the traffics, the measuring in turns, the tables and the judgements. */
import { execFileSync } from "node:child_process";
import type { BalancedBox, BoxKind } from "./balanced-box.ts";
import { figure, markdown } from "./report.ts";
import { distribution } from "./statistics.ts";
import { judged, type Target } from "./target.ts";

const BATCH = 64;
/** Of flows that are begun while measuring: behind all that are established. */
const NEW_FLOWS_FROM = 1 << 18;

const FLOWS = { "64 flows": 64, "16k flows": 16_384, "100k flows": 100_032 } as const;
const NEW = "each packet a new flow";
const HANDSHAKE = "handshake, per packet";

type Established = keyof typeof FLOWS;
export type Traffic = Established | typeof NEW | typeof HANDSHAKE;

/** What is measured of each box. */
export interface Measurement {
  readonly traffics: readonly Traffic[];
  readonly rounds: number;
  /** Of one round, in whole batches of the generator. */
  readonly packets: number;
  readonly newPackets: number;
  /** Of all rounds. */
  readonly handshakes: number;
}

/** What one packet costs, of each round, by the name of the box. */
export type Costs = Readonly<Record<string, Readonly<Partial<Record<Traffic, readonly number[]>>>>>;

export type Judgement = readonly [kind: BoxKind, traffic: Traffic, peer: BoxKind, target: Target];

/** As many flows as the traffics want to be established. */
export function establishedFlows(traffics: readonly Traffic[]): number {
  return Math.max(0, ...traffics.map((traffic) => (isEstablished(traffic) ? FLOWS[traffic] : 0)));
}

/** The boxes take turns. */
export async function measure(boxes: readonly BalancedBox[], measurement: Measurement): Promise<Costs> {
  const costs = Object.fromEntries(
    boxes.map(({ kind }): [string, Partial<Record<Traffic, number[]>>] => [kind.name, {}]),
  );
  for (let round = 0; round < measurement.rounds; round++) {
    for (const traffic of measurement.traffics) {
      for (const box of boxes) {
        const cost = await costOf(box, traffic, round, measurement);
        const of = costs[box.kind.name] ?? {};
        of[traffic] = [...(of[traffic] ?? []), cost];
      }
    }
  }
  return costs;
}

/** Of one packet. */
async function costOf(box: BalancedBox, traffic: Traffic, round: number, measurement: Measurement): Promise<number> {
  const { packets, newPackets, handshakes, rounds } = measurement;
  if (isEstablished(traffic)) {
    await box.planEstablished(FLOWS[traffic]);
    await box.frames.send(BATCH);
    const { nanos, done } = await box.cost(() => box.frames.send(packets));
    return nanos / done;
  }
  if (traffic === NEW) {
    await box.planNew(NEW_FLOWS_FROM + (round % 8) * newPackets);
    const { nanos, done } = await box.cost(() => box.frames.send(newPackets));
    forgetUnanswered(box);
    return nanos / done;
  }
  const shaken = BATCH * Math.max(1, Math.floor(handshakes / BATCH / rounds));
  const from = 2 * NEW_FLOWS_FROM + 8 * newPackets + round * shaken;
  const { nanos, done } = await box.cost(() => box.shake(shaken, from));
  return nanos / done / (box.kind.returns ? 3 : 2);
}

function isEstablished(traffic: Traffic): traffic is Established {
  return traffic in FLOWS;
}

/** Entries of connections that nobody answered would fill the kernel's table in a few rounds. */
function forgetUnanswered({ namespace }: BalancedBox): void {
  const argv = ["conntrack", "-D", "-p", "tcp", "--state", "SYN_SENT"];
  try {
    execFileSync("nsenter", [`--net=${namespace.path}`, ...argv], { stdio: "ignore" });
  } catch {
    // It says 1 when there is none, as in a box that tracks no connections.
  }
}

/** A table for each traffic, in `unit` per packet, with the medians beside those of the peers; then the judgements. */
export function costTables(
  costs: Costs,
  unit: string,
  peers: readonly BoxKind[],
  judgements: readonly Judgement[],
): readonly string[] {
  const median = ({ name }: BoxKind, traffic: Traffic) => distribution(costs[name]?.[traffic] ?? [])?.median;
  const ratio = (value: number | undefined, of: number | undefined) =>
    value === undefined || of === undefined ? undefined : value / of;
  const traffics = new Set(Object.values(costs).flatMap((of) => Object.keys(of) as Traffic[]));
  const head = ["", "trials", `${unit} per packet: median`, "least", "most", ...peers.map(({ name }) => `÷ ${name}`)];
  const tables = [...traffics].flatMap((traffic) => {
    const rows = Object.entries(costs).map(([name, { [traffic]: values = [] }]) => {
      const found = distribution(values);
      const figures = found === undefined ? [] : [found.median, Math.min(...values), found.worst].map(figure);
      const ratios = peers.map((peer) => ratio(found?.median, median(peer, traffic))?.toFixed(2) ?? "–");
      return [name, String(values.length), ...figures, ...ratios];
    });
    return [`### ${traffic}`, "", ...markdown(head, rows), ""];
  });
  const rows = judgements.map(([kind, traffic, peer, target]) => [
    kind.name,
    traffic,
    judged(ratio(median(kind, traffic), median(peer, traffic)), target),
  ]);
  return [...tables, "### Targets", "", ...markdown(["", "traffic", "median ÷ the peer's median"], rows), ""];
}
