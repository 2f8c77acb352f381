/**
 * The row `balancer`: what a packet costs a box, apart from sending and receiving it, beside the kernel's own ways to
 * do the same. All boxes stand at once and take turns; each is a whole one, filled by real handshakes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Boxes } from "../netns/running-box.ts";
import { createNetwork } from "../netns/namespaces.ts";
import { type BalancedBox, type BoxKind, futagoBox, kernelBox, startBalancedBox } from "./balanced-box.ts";
import { buildFrames } from "./frames.ts";
import { costTables, establishedFlows, type Judgement, measure, type Traffic } from "./packet-costs.ts";
import type { Print } from "./silence.ts";

const ROUNDS_DEFAULT = 5;
const TRAFFICS: readonly Traffic[] = [
  "64 flows",
  "16k flows",
  "100k flows",
  "each packet a new flow",
  "handshake, per packet",
];
/** With the established flows the handshakes fit into a table of the default size. */
const MEASUREMENT = { traffics: TRAFFICS, packets: 128_000, newPackets: 32_000, handshakes: 25_600 } as const;

const ROUTING = kernelBox("plain routing");
const CONTROL = kernelBox("control: plain routing again");
const NFTABLES = kernelBox("nftables DNAT", "dnat.nft");
const FLOWTABLE = kernelBox("nftables flowtable", "dnat.nft", "flowtable.nft");
const NAT = futagoBox("nat", "ipv4");
const NAT6 = futagoBox("nat", "ipv6");

const FUTAGO: readonly BoxKind[] = [NAT, NAT6, futagoBox("one-arm", "ipv4"), futagoBox("direct", "ipv4")];

const JUDGEMENTS: readonly Judgement[] = [
  [NAT, "64 flows", NFTABLES, { atMost: 1 / 5, of: "nftables" }],
  [NAT, "100k flows", NFTABLES, { atMost: 1 / 3, of: "nftables" }],
  [NAT, "64 flows", ROUTING, { atMost: 1 / 3, of: "routing" }],
  [NAT, "each packet a new flow", NFTABLES, { atMost: 1 / 2.5, of: "nftables" }],
  [NAT, "handshake, per packet", NFTABLES, { atMost: 1 / 2.5, of: "nftables" }],
  ...TRAFFICS.map((traffic): Judgement => [NAT6, traffic, NAT, { atMost: 1.15, of: "IPv4" }]),
];

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
      await box.establish(establishedFlows(TRAFFICS));
    }
    const costs = await measure(boxes, { ...MEASUREMENT, rounds: trials });
    const remark = hasFlowtable ? [] : ["This kernel has no nftables flowtable.", ""];
    const lines = [...remark, ...costTables(costs, "ns", [ROUTING, NFTABLES], JUDGEMENTS)];
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
