/**
 * The part of the row `guest` that runs in the guest, where a nanosecond is an instruction: first proves that with a
 * loop of known length, then measures one box after the other. Prints the tables.
 *
 *   node guest-inside.ts ROUNDS LOOP FRAMES-PROGRAM FRAMES-OBJECT
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Boxes } from "../netns/running-box.ts";
import { type BoxKind, futagoBox, ipvsBox, kernelBox, startBalancedBox } from "./balanced-box.ts";
import type { BuiltFrames } from "./frames.ts";
import { processorNanos } from "./napi-threads.ts";
import { type Costs, costTables, establishedFlows, type Judgement, measure, type Traffic } from "./packet-costs.ts";
import { figure, markdown } from "./report.ts";

/** Without more flows: what a cache misses is not seen in instructions. */
const TRAFFICS: readonly Traffic[] = ["64 flows", "16k flows", "each packet a new flow", "handshake, per packet"];
const MEASUREMENT = { traffics: TRAFFICS, packets: 16_384, newPackets: 16_384, handshakes: 16_384 } as const;

const ROUTING = kernelBox("plain routing");
const NFTABLES = kernelBox("nftables DNAT", "dnat.nft");
const IPVS = ipvsBox("nat");
const IPVS_DIRECT = ipvsBox("direct");
const NAT = futagoBox("nat", "ipv4");
const DIRECT = futagoBox("direct", "ipv4");

const KINDS: readonly BoxKind[] = [
  ROUTING,
  kernelBox("control: plain routing again"),
  NFTABLES,
  kernelBox("nftables flowtable", "dnat.nft", "flowtable.nft"),
  IPVS,
  IPVS_DIRECT,
  NAT,
  futagoBox("nat", "ipv6"),
  futagoBox("one-arm", "ipv4"),
  DIRECT,
];

const ESTABLISHED_MAX = 0.35;
const NEW_MAX = 0.8;
const JUDGEMENTS: readonly Judgement[] = (
  [
    [NAT, "64 flows", IPVS, ESTABLISHED_MAX],
    [NAT, "16k flows", IPVS, ESTABLISHED_MAX],
    [NAT, "each packet a new flow", IPVS, NEW_MAX],
    [NAT, "handshake, per packet", IPVS, NEW_MAX],
    [DIRECT, "64 flows", IPVS_DIRECT, ESTABLISHED_MAX],
    [DIRECT, "each packet a new flow", IPVS_DIRECT, NEW_MAX],
  ] as const
).map(([kind, traffic, peer, atMost]) => [kind, traffic, peer, { atMost, of: peer.name }]);

/** The shorter one ends between two ticks of the kernel's clock: it shows that times are finer than these. */
const LOOPS = [1_000_000, 100_000_000];
const LOOP_ERROR_MAX = 0.02;

const [rounds = "", loop = "", program = "", object = ""] = process.argv.slice(2);
const control = await readLoops(loop, Number(rounds));
const costs = await measureAll({ program, object }, Number(rounds));
for (const line of [...control, ...costTables(costs, "instructions", [ROUTING, NFTABLES, IPVS], JUDGEMENTS)])
  process.stdout.write(`${line}\n`);

/** Each loop as the box's threads are read, less what an empty one takes. Throws when the scale is not right. */
async function readLoops(path: string, trials: number): Promise<readonly string[]> {
  const child = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const thread = { pid: child.pid ?? 0 };
  const take = async (instructions: number) => {
    const from = processorNanos([thread]);
    child.stdin.write(`${instructions}\n`);
    await once(lines, "line");
    return processorNanos([thread]) - from;
  };
  try {
    await take(0);
    const rows: string[][] = [];
    for (const length of LOOPS) {
      const readings: number[] = [];
      for (let trial = 0; trial < trials; trial++) {
        const empty = await take(0);
        readings.push((await take(length)) - empty);
      }
      const ratios = readings.map((reading) => reading / length);
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
      if (least < 1 - LOOP_ERROR_MAX || most > 1 + LOOP_ERROR_MAX)
        throw new Error(`${length} instructions are read as ${readings.join(", ")}`);
      rows.push([figure(length), String(trials), least.toFixed(4), most.toFixed(4)]);
    }
    const head = ["a loop of so many instructions", "trials", "read ÷ true: least", "most"];
    return ["### control", "", ...markdown(head, rows), ""];
  } finally {
    child.kill();
  }
}

/** Leaves its files behind, as the guest does. */
async function measureAll(built: BuiltFrames, trials: number): Promise<Costs> {
  const each: Costs[] = [];
  const files = new Boxes();
  for (const kind of KINDS) {
    process.stderr.write(`${kind.name}\n`);
    const box = await startBalancedBox(kind, built, files);
    await box.establish(establishedFlows(TRAFFICS));
    each.push(await measure([box], { ...MEASUREMENT, rounds: trials }));
    await box.stop();
  }
  return Object.assign({}, ...each) as Costs;
}
