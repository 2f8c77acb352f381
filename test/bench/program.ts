/**
 * The row `program`: what the balancer's program alone takes for a packet (BPF_PROG_TEST_RUN), beside a program that
 * does nothing. A frame is made anew for each run, since the last one rewrote it; what making it takes is measured, and
 * taken off. The kernel tells whole nanoseconds and cuts off the rest; half of one is added to what it tells.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressBytes, addressFromBytes, type IpAddress } from "@futago/hal/units/address.ts";
import { SERVICE_BACKENDS_MAX, type ServiceMode } from "@futago/hal/units/balancer.ts";
import { ESTABLISHED_MAX, ONE_ARM_PORT_MIN } from "@futago/hal/xdp/layout.ts";
import { encodeFlow, encodeFlowKey } from "@futago/hal/xdp/layout-flows.ts";
import {
  addressOf,
  backend,
  BACKENDS,
  BACKENDS6,
  BOX_CLIENT_MAC,
  createTestBox,
  GROUP,
  service,
  type TestBox,
  VIP,
  VIP6,
} from "../xdp/box.ts";
import { arpFrame } from "../xdp/packet.ts";
import { bootNanos } from "../xdp/pins.ts";
import { buildFrames, CLIENTS, CLIENTS6, Frames, opening, running, type Template } from "./frames.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";
import { judged, type Target } from "./target.ts";

const ROUNDS_DEFAULT = 9;
const CPU = 0;
const RUNS = 262_144;
const CUT_OFF = 0.5;
const FEW_FLOWS = 64;
/** Behind all that are in a table. */
const NEW_FLOWS_FROM = 1 << 20;
const SLICE = 4_096;
/** Nobody's address, and no backend's. */
const ELSEWHERE = "203.0.113.77";

interface Service {
  readonly mode: ServiceMode;
  readonly vip: string;
  readonly port: number;
  readonly backends: readonly string[];
}
const NAT: Service = { mode: "nat", vip: VIP, port: 80, backends: BACKENDS };
const NAT6: Service = { mode: "nat", vip: VIP6, port: 80, backends: BACKENDS6 };
const ONE_ARM: Service = { mode: "one-arm", vip: VIP, port: 81, backends: BACKENDS };
const DIRECT: Service = { mode: "direct", vip: VIP, port: 8080, backends: BACKENDS };
const SERVICES = [NAT, NAT6, ONE_ARM, DIRECT];
const BACKEND_PORT = 8080;

/** A kind of packet; `verdict` is what the program has to say of each. */
interface Row {
  readonly name: string;
  readonly packet: Template;
  readonly flows: number | undefined;
  readonly verdict: number;
  readonly target?: Target;
}
const XDP_PASS = 2;
const XDP_REDIRECT = 4;

const HIT: Target = { atMost: 5, of: "the empty loop" };
const NOT_OURS: Target = { atMost: 4, of: "the empty loop" };

function toService({ vip, port }: Service): Omit<Template, "flags"> {
  return { destination: vip, destinationPort: port, mac: BOX_CLIENT_MAC };
}

function hit(name: string, of: Service, flows: number, target?: Target): Row {
  const counted = `${name}, established, of ${flows.toLocaleString("en")} flows`;
  const row = { name: counted, packet: running(toService(of)), flows, verdict: XDP_REDIRECT };
  return target === undefined ? row : { ...row, target };
}

/** A box whose table holds as many flows of `nat` as are measured, and what is measured there. */
interface Place {
  readonly table: number;
  readonly flows: number;
  readonly rows: readonly Row[];
}
const FEW: Place = {
  table: ESTABLISHED_MAX,
  flows: FEW_FLOWS,
  rows: [
    {
      name: "not ours: TCP to elsewhere",
      packet: running({ destination: ELSEWHERE, destinationPort: 80, mac: BOX_CLIENT_MAC }),
      flows: FEW_FLOWS,
      verdict: XDP_PASS,
      target: NOT_OURS,
    },
    hit("nat", NAT, FEW_FLOWS, HIT),
    hit("nat IPv6", NAT6, FEW_FLOWS, HIT),
    hit("one-arm", ONE_ARM, FEW_FLOWS, HIT),
    hit("direct", DIRECT, FEW_FLOWS, HIT),
    { name: "nat, each a new flow", packet: opening(toService(NAT)), flows: undefined, verdict: XDP_REDIRECT },
  ],
};
const CURVE = [1_024, 16_384, 100_000, 1_000_000].map((flows): Place => {
  const table = Math.max(ESTABLISHED_MAX, 2 ** Math.ceil(Math.log2(flows)));
  return { table, flows, rows: [hit("nat", NAT, flows)] };
});
const PLACES = [FEW, ...CURVE];

const EMPTY = "the empty loop";
const CONTROL = "control: the empty loop again";
const ARP = "not ours: ARP";

/** Nanoseconds of one run, of each round, those of the loop itself included. */
type Costs = Map<string, number[]>;

export async function programBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "futago-program-"));
  const sites: Site[] = [];
  try {
    const built = buildFrames(directory);
    for (const place of PLACES) {
      const box = await createTestBox({ established: place.table });
      const frames = await Frames.start(built, { namespace: box.namespace, cpu: CPU });
      sites.push({ box, frames, place });
      serveAll(box);
      for (const one of SERVICES) fill(box, one, one === NAT ? place.flows : FEW_FLOWS);
    }
    const costs: Costs = new Map();
    for (let round = 0; round < trials; round++) for (const site of sites) await measureRound(site, costs);
    const lines = report(costs);
    for (const line of lines) print(line);
    return lines;
  } finally {
    for (const { box, frames } of sites) {
      frames.close();
      await box.destroy();
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Site {
  readonly box: TestBox;
  readonly frames: Frames;
  readonly place: Place;
}

function serveAll(box: TestBox): void {
  box.groups.set(GROUP, 3);
  box.serve(
    SERVICES.map(({ mode, vip, port, backends }) =>
      service(
        port,
        backends.map((address) => backend(address, BACKEND_PORT)),
        { mode, address: addressOf(vip) },
      ),
    ),
  );
}

/** The client of a flow, as frames.bpf.c makes it. */
function clientOf(flow: number, isIpv6: boolean): { readonly client: IpAddress; readonly clientPort: number } {
  const bytes = addressBytes(addressOf(isIpv6 ? CLIENTS6 : CLIENTS));
  const last = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4);
  last.setUint32(0, (last.getUint32(0) | ((flow >> 4) & 0x1ffff)) >>> 0);
  const client = addressFromBytes(bytes);
  if (client === undefined) throw new Error(`no client of flow ${flow}`);
  return { client, clientPort: 1_024 + (flow & 15) + ((flow >> 21) << 4) };
}

/** Writes the flows of a service into the table, as though each had been through its handshake. */
function fill({ object, tables }: TestBox, { mode, vip, port }: Service, flows: number): void {
  const map = object.map("established");
  const standing = tables.read();
  const found = standing.find((entry) => entry.kind === "service" && entry.address === vip && entry.port === port);
  if (found?.kind !== "service") throw new Error(`no service at ${vip}:${port}`);
  const backends = standing.filter(
    (entry) => entry.kind === "backend" && Math.floor(entry.number / SERVICE_BACKENDS_MAX) === found.index,
  );
  for (let from = 0; from < flows; from += SLICE) {
    const size = Math.min(SLICE, flows - from);
    const [keys, values] = [new Uint8Array(size * map.keyBytes), new Uint8Array(size * map.valueBytes)];
    for (let i = 0; i < size; i++) {
      const to = backends[(from + i) % backends.length];
      if (to?.kind !== "backend") throw new Error(`no backend of ${vip}:${port}`);
      const key = {
        ...clientOf(from + i, vip.includes(":")),
        vip: addressOf(vip),
        vipPort: port,
        protocol: "tcp",
      } as const;
      const { number, address, port: backendPort } = to;
      const vipSourcePort = mode === "one-arm" ? ONE_ARM_PORT_MIN + i : 0;
      const rest = { expectedAck: 0, flags: 0, seenNanos: bootNanos() };
      keys.set(encodeFlowKey(key), i * map.keyBytes);
      values.set(
        encodeFlow({ ...key, backend: number, address, port: backendPort, vipSourcePort, ...rest }),
        i * map.valueBytes,
      );
    }
    const refused = map.insertMany(keys, values).find((outcome) => outcome !== 0);
    if (refused !== undefined) throw new Error(`a flow was refused: errno ${refused}`);
  }
}

async function measureRound({ box, frames, place }: Site, costs: Costs): Promise<void> {
  const note = (name: string, nanos: number) => void costs.set(name, [...(costs.get(name) ?? []), nanos + CUT_OFF]);
  const empty = await frames.empty(RUNS);
  if (place === FEW) {
    note(EMPTY, empty);
    note(CONTROL, await frames.empty(RUNS));
    const arp = arpFrame({ kind: 1, sender: "10.1.0.9", target: "10.1.0.2" });
    note(ARP, box.namespace.inside(() => box.object.program("futago_root").testRun(arp, RUNS, box.eth0)).nanosPerRun);
  }
  for (const { name, packet, flows, verdict } of place.rows) {
    const plan = { packets: [packet], flows, firstFlow: flows === undefined ? NEW_FLOWS_FROM : 0, answers: false };
    const runs = Math.max(RUNS, flows ?? 0);
    await frames.plan(plan);
    await frames.call(undefined);
    const made = await frames.run(runs, box.eth0);
    await frames.plan(plan);
    await frames.call(box.object.program("futago_balancer").id);
    const balanced = await frames.run(runs, box.eth0);
    if (balanced.verdict !== verdict) throw new Error(`${name}: the verdict was ${balanced.verdict}`);
    note(name, empty + balanced.nanos - made.nanos);
  }
}

function report(costs: Costs): readonly string[] {
  const median = (name: string) => distribution(costs.get(name) ?? [])?.median ?? Number.NaN;
  const ratio = (name: string) => median(name) / median(EMPTY);
  const rows = [...costs].map(([name, values]) => {
    const figures = [median(name), Math.min(...values), Math.max(...values)].map(figure);
    return [name, String(values.length), ...figures, ratio(name).toFixed(2)];
  });
  const judgements = FEW.rows.flatMap(({ name, target }) =>
    target === undefined ? [] : [[name, judged(ratio(name), target)]],
  );
  return [
    "### Nanoseconds of one run, the loop's own included",
    "",
    ...markdown(["", "trials", "median", "least", "most", "÷ the empty loop"], rows),
    "",
    "### Targets",
    "",
    ...markdown(["", "median ÷ the empty loop's"], judgements),
    "",
  ];
}
