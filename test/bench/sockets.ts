/**
 * The row `sockets`: short TCP connections of real sockets through a box, as many as go. How many a second, and what
 * each costs the box, beside the kernel's own ways and beside proxies. With the box on a processor of its own the cost
 * is undisturbed, and the slower of the two processors says how many go; with all on any processor, the whole does.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Boxes } from "../netns/running-box.ts";
import { type BoxKind, futagoBox, kernelBox } from "./balanced-box.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { buildPrograms, type Programs, SocketsBox, type Trial } from "./sockets-box.ts";
import { type Placement, PLACEMENTS } from "./sockets-placement.ts";
import { haproxyBox, nginxBox } from "./sockets-proxies.ts";
import { distribution } from "./statistics.ts";
import { judged, type Target } from "./target.ts";

const ROUNDS_DEFAULT = 5;
/** The connections of all trials fit into the kernel's table of connections of the default size. */
const TRIAL_MILLIS = 2_000;
/** Neighbours are found and code is warm afterwards. */
const WARM_UP_MILLIS = 500;

interface Contenders {
  readonly all: readonly BoxKind[];
  readonly nat: BoxKind;
  readonly nftables: BoxKind;
  readonly haproxy: BoxKind;
  readonly nginx: BoxKind;
}

type Trials = ReadonlyMap<BoxKind, readonly Trial[]>;
type Figure = "perSecond" | "nanosEach" | "busyShare";

export async function socketsBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "futago-sockets-"));
  const lines: string[] = [];
  try {
    const programs = buildPrograms(directory);
    for (const placement of PLACEMENTS) {
      const contenders = contendersAt(placement);
      const report = reported(placement, contenders, await measure(contenders.all, placement, programs, trials));
      for (const line of report) print(line);
      lines.push(...report);
    }
    return lines;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function contendersAt(placement: Placement): Contenders {
  const nat = futagoBox("nat", "ipv4");
  const nftables = kernelBox("nftables DNAT", "dnat.nft");
  const [haproxy, nginx] = [haproxyBox(placement), nginxBox(placement)];
  const routing = [kernelBox("plain routing"), kernelBox("control: plain routing again")];
  const others = [futagoBox("nat", "ipv6"), futagoBox("one-arm", "ipv4"), futagoBox("direct", "ipv4")];
  return { all: [...routing, nftables, nat, ...others, haproxy, nginx], nat, nftables, haproxy, nginx };
}

async function measure(
  kinds: readonly BoxKind[],
  placement: Placement,
  programs: Programs,
  rounds: number,
): Promise<Trials> {
  const files = new Boxes();
  const boxes: SocketsBox[] = [];
  const trials = new Map<BoxKind, Trial[]>(kinds.map((kind) => [kind, []]));
  try {
    for (const kind of kinds) {
      const box = await SocketsBox.start(kind, placement, programs, files);
      boxes.push(box);
      await box.trial(WARM_UP_MILLIS);
    }
    for (let round = 0; round < rounds; round++)
      for (const box of boxes) trials.get(box.kind)?.push(await box.trial(TRIAL_MILLIS));
    return trials;
  } finally {
    for (const box of boxes) await box.stop();
    await files.destroy([]);
  }
}

function reported(placement: Placement, contenders: Contenders, trials: Trials): readonly string[] {
  const { all, nat, nftables, haproxy, nginx } = contenders;
  const values = (kind: BoxKind, of: Figure) => (trials.get(kind) ?? []).map((trial) => trial[of]);
  const median = (kind: BoxKind, of: Figure) => distribution(values(kind, of))?.median ?? Number.NaN;
  const ratio = (kind: BoxKind, of: Figure, peer: BoxKind) => median(kind, of) / median(peer, of);
  const spread = (found: readonly number[]) =>
    [distribution(found)?.median ?? Number.NaN, Math.min(...found), Math.max(...found)].map(figure);
  const total = (kind: BoxKind, of: "failed" | "late") =>
    String((trials.get(kind) ?? []).reduce((sum, trial) => sum + trial[of], 0));
  const rows = all.map((kind) => [
    kind.name,
    String(trials.get(kind)?.length),
    ...spread(values(kind, "perSecond")),
    ratio(kind, "perSecond", nftables).toFixed(2),
    ...spread(values(kind, "nanosEach").map((nanos) => nanos / 1_000)),
    ratio(kind, "nanosEach", haproxy).toFixed(2),
    ratio(kind, "nanosEach", nginx).toFixed(2),
    figure(100 * median(kind, "busyShare")),
    total(kind, "failed"),
    total(kind, "late"),
  ]);
  const cost = ["µs of the box each: median", "least", "most", "÷ HAProxy", "÷ nginx", "box busy %"];
  const head = ["", "trials", "connections/s: median", "least", "most", "÷ nftables", ...cost, "failed", "late"];
  const cheaper = (of: string): Target => ({ atMost: 0.5, of });
  const judgements = [
    ["µs of the box", judged(ratio(nat, "nanosEach", haproxy), cheaper("HAProxy"))],
    ["µs of the box", judged(ratio(nat, "nanosEach", nginx), cheaper("nginx"))],
    ["connections/s", judged(ratio(nat, "perSecond", nftables), { atLeast: 0.9, of: "nftables" })],
  ];
  const title = `### Short connections of real sockets; ${placement.name}`;
  return [
    title,
    "",
    ...markdown(head, rows),
    "",
    ...markdown([nat.name, "median ÷ the peer's median"], judgements),
    "",
  ];
}
