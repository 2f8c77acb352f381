/**
 * The row `balancer`: what a packet costs a box, apart from sending and receiving it, beside the kernel's own ways to
 * do the same. All boxes stand at once and take turns; each is a whole one, filled by real handshakes.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Boxes } from "../netns/running-box.ts";
import { createNetwork } from "../netns/namespaces.ts";
import { type BalancedBox, type BoxKind, futagoBox, kernelBox, startBalancedBox } from "./balanced-box.ts";
import { buildFrames } from "./frames.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";
import { judged, type Target } from "./target.ts";

const ROUNDS_DEFAULT = 5;
/** Packets of one measurement, in whole batches of the generator. */
const PACKETS = 128_000;
const NEW_PACKETS = 32_000;
const BATCH = 64;
/** Handshakes of all rounds: with the established flows they fit into a table of the default size. */
const HANDSHAKES = 25_600;
const MANY_FLOWS = 100_032;
/** Of flows that are begun while measuring: behind all that are established. */
const NEW_FLOWS_FROM = 1 << 18;

const TRAFFICS = ["64 flows", "16k flows", "100k flows", "each packet a new flow", "handshake, per packet"] as const;
type Traffic = (typeof TRAFFICS)[number];
const FLOWS: Readonly<Partial<Record<Traffic, number>>> = {
  "64 flows": 64,
  "16k flows": 16_384,
  "100k flows": MANY_FLOWS,
};

const ROUTING = kernelBox("plain routing");
const CONTROL = kernelBox("control: plain routing again");
const NFTABLES = kernelBox("nftables DNAT", "dnat.nft");
const FLOWTABLE = kernelBox("nftables flowtable", "dnat.nft", "flowtable.nft");
const NAT = futagoBox("nat", "ipv4");
const NAT6 = futagoBox("nat", "ipv6");

const FUTAGO: readonly BoxKind[] = [NAT, NAT6, futagoBox("one-arm", "ipv4"), futagoBox("direct", "ipv4")];

type Judgement = readonly [kind: BoxKind, traffic: Traffic, peer: BoxKind, target: Target];
const JUDGEMENTS: readonly Judgement[] = [
  [NAT, "64 flows", NFTABLES, { atMost: 1 / 5, of: "nftables" }],
  [NAT, "100k flows", NFTABLES, { atMost: 1 / 3, of: "nftables" }],
  [NAT, "64 flows", ROUTING, { atMost: 1 / 3, of: "routing" }],
  [NAT, "each packet a new flow", NFTABLES, { atMost: 1 / 2.5, of: "nftables" }],
  [NAT, "handshake, per packet", NFTABLES, { atMost: 1 / 2.5, of: "nftables" }],
  ...TRAFFICS.map((traffic): Judgement => [NAT6, traffic, NAT, { atMost: 1.15, of: "IPv4" }]),
];

/** Nanoseconds of each round. */
type Costs = Map<BoxKind, Map<Traffic, number[]>>;

export async function balancerBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "futago-balancer-"));
  const files = new Boxes();
  const boxes: BalancedBox[] = [];
  const hasFlowtable = await takesFlowtable();
  try {
    const built = buildFrames(directory);
    for (const kind of [ROUTING, CONTROL, NFTABLES, ...(hasFlowtable ? [FLOWTABLE] : []), ...FUTAGO]) {
      const box = await startBalancedBox(kind, built, files);
      boxes.push(box);
      await box.establish(MANY_FLOWS);
    }
    const costs = await measure(boxes, trials);
    const remark = hasFlowtable ? [] : ["This kernel has no nftables flowtable.", ""];
    const lines = [...remark, ...report(costs)];
    for (const line of lines) print(line);
    return lines;
  } finally {
    for (const box of boxes) await box.stop();
    await files.destroy([]);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function takesFlowtable(): Promise<boolean> {
  const network = await createNetwork();
  try {
    const namespace = await network.namespace("flowtable");
    await network.link(namespace, "eth0", namespace, "eth1");
    const rules = join(import.meta.dirname, "nftables", "flowtable.nft");
    return (await namespace.tryRun(["nft", "--check", "--file", rules])).code === 0;
  } finally {
    await network.destroy();
  }
}

async function measure(boxes: readonly BalancedBox[], rounds: number): Promise<Costs> {
  const costs: Costs = new Map(boxes.map(({ kind }) => [kind, new Map()]));
  const handshakes = BATCH * Math.max(1, Math.floor(HANDSHAKES / BATCH / rounds));
  for (let round = 0; round < rounds; round++) {
    for (const traffic of TRAFFICS) {
      for (const box of boxes) {
        const nanos = await costOf(box, traffic, round, handshakes);
        const of = costs.get(box.kind);
        of?.set(traffic, [...(of.get(traffic) ?? []), nanos]);
      }
    }
  }
  return costs;
}

/** Of one packet. */
async function costOf(box: BalancedBox, traffic: Traffic, round: number, handshakes: number): Promise<number> {
  const flows = FLOWS[traffic];
  if (flows !== undefined) {
    await box.planEstablished(flows);
    await box.frames.send(BATCH);
    const { nanos, done } = await box.cost(() => box.frames.send(PACKETS));
    return nanos / done;
  }
  if (traffic === "each packet a new flow") {
    await box.planNew(NEW_FLOWS_FROM + (round % 8) * NEW_PACKETS);
    const { nanos, done } = await box.cost(() => box.frames.send(NEW_PACKETS));
    forgetUnanswered(box);
    return nanos / done;
  }
  const from = 2 * NEW_FLOWS_FROM + 8 * NEW_PACKETS + round * handshakes;
  const { nanos, done } = await box.cost(() => box.shake(handshakes, from));
  return nanos / done / (box.kind.returns ? 3 : 2);
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

function report(costs: Costs): readonly string[] {
  const median = (kind: BoxKind, traffic: Traffic) => distribution(costs.get(kind)?.get(traffic) ?? [])?.median;
  const ratio = (kind: BoxKind, traffic: Traffic, peer: BoxKind) => {
    const [one, other] = [median(kind, traffic), median(peer, traffic)];
    return one === undefined || other === undefined ? undefined : one / other;
  };
  const shown = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(2));
  const tables = TRAFFICS.flatMap((traffic) => {
    const rows = [...costs].map(([kind, of]) => {
      const values = of.get(traffic) ?? [];
      const found = distribution(values);
      const figures = found === undefined ? [] : [found.median, Math.min(...values), found.worst].map(figure);
      return [
        kind.name,
        String(values.length),
        ...figures,
        shown(ratio(kind, traffic, ROUTING)),
        shown(ratio(kind, traffic, NFTABLES)),
      ];
    });
    const head = ["", "trials", "ns per packet: median", "least", "most", "÷ routing", "÷ nftables DNAT"];
    return [`### ${traffic}`, "", ...markdown(head, rows), ""];
  });
  const judgements = JUDGEMENTS.map(([kind, traffic, peer, target]) => [
    kind.name,
    traffic,
    judged(ratio(kind, traffic, peer), target),
  ]);
  return [...tables, "### Targets", "", ...markdown(["", "traffic", "median ÷ the peer's median"], judgements), ""];
}
