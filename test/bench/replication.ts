/**
 * What replication costs: processor time of both cores while connections begin at a steady rate, and the time that a
 * whole table takes to a joining box. Each core is a process of its own with real maps; a third one makes handshakes by
 * BPF_PROG_TEST_RUN. Needs root:  node test/bench/replication.ts [connections a second] [seconds] [flows of a table]
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import type { BpfObject, BpfProgram } from "@futago/hal/contract/bpf.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { balancerSizes } from "@futago/hal/xdp/layout.ts";
import { encodeFlow, encodeFlowKey } from "@futago/hal/xdp/layout-flows.ts";
import { balancerTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { addressOf, backend, createTestBox, GROUP, service, type TestBox, VIP } from "../xdp/box.ts";
import { ACK, SYN, tcpFrame } from "../xdp/packet.ts";
import { bootNanos, Groups, mountPins } from "../xdp/pins.ts";
import { Side } from "../xdp/replication-rig.ts";

const SIZES = balancerSizes(256, 131_072);
const SERVER = "10.2.0.11";
const TLS = { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;
const psk = Buffer.alloc(32, 7);

type Order = "cpu" | "flows" | "whole" | { readonly dial: number } | { readonly fill: number; readonly from: number };
interface Answer {
  readonly micros?: number;
  readonly flows?: number;
  readonly port?: number;
  readonly millis?: number;
}

const [role, pins] = process.argv.slice(2);
if (role === "core" && pins !== undefined) runCore(pins);
else await measure(Number(role ?? 5_000), Number(pins ?? 10), Number(process.argv[4] ?? 100_000));

function runCore(directory: string): void {
  const object = openBpf().load("balancer", directory, SIZES);
  const side = new Side(SIZES, object);
  side.serve([service(80, [backend(SERVER, 8080)])]);
  const answer = (what: Answer) => process.send?.(what);
  const server = createServer((socket: Socket) => {
    const options = { ...TLS, isServer: true, requestCert: false, pskCallback: () => psk };
    const wrapped = new TLSSocket(socket, options);
    wrapped.on("error", () => wrapped.destroy());
    wrapped.once("secure", () => side.replication.attach(wrapped));
  });
  process.on("disconnect", () => process.exit(0));
  process.on("message", (order: Order) => {
    if (order === "cpu") {
      const { user, system } = process.cpuUsage();
      answer({ micros: user + system });
    } else if (order === "flows") {
      answer({ flows: [...object.map("established").entries()].length });
    } else if (order === "whole") {
      const from = performance.now();
      const look = setInterval(() => {
        if (!side.replication.status().whole) return;
        clearInterval(look);
        answer({ millis: performance.now() - from });
      }, 1);
    } else if ("fill" in order) {
      fill(side, order.from, order.fill);
      side.own(VIP);
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        answer({ port: typeof address === "object" && address !== null ? address.port : 0 });
      });
    } else {
      const socket = connect({
        ...TLS,
        port: order.dial,
        ca: [],
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ psk, identity: "b" }),
      });
      socket.on("error", () => socket.destroy());
      socket.once("secureConnect", () => side.replication.attach(socket));
    }
  });
  answer({});
}

function fill(side: Side, from: number, count: number): void {
  const keys = Buffer.alloc(count * 40);
  const values = Buffer.alloc(count * 40);
  for (let i = 0; i < count; i++) {
    const flow = { ...clientOf(from + i), vip: addressOf(VIP), vipPort: 80, protocol: "tcp" as const, backend: 0 };
    const rest = { address: addressOf(SERVER), port: 8080, vipSourcePort: 0, expectedAck: 0, flags: 0 };
    keys.set(encodeFlowKey(flow), i * 40);
    values.set(encodeFlow({ ...flow, ...rest, seenNanos: bootNanos() }), i * 40);
  }
  side.object.map("established").insertMany(keys, values);
}

function clientOf(i: number) {
  return { client: addressOf(`198.51.${(i >> 15) & 255}.7`), clientPort: 1_024 + (i & 0x7fff) };
}

async function measure(rate: number, seconds: number, tableFlows: number): Promise<void> {
  const pinsA = mountPins(openBpf());
  const pinsB = mountPins(openBpf());
  // Only for its routes and neighbours: the maps are those of the core.
  const box = await createTestBox();
  const generator = openBpf().load("balancer", pinsA.directory, SIZES);
  gateTables(generator).setVips(new Map([[addressOf(VIP), GROUP]]));
  new Groups(generator.map("futago_groups")).set(GROUP, 3);
  const a = await start(pinsA.directory);
  let b = await start(pinsB.directory);
  try {
    const { port = 0 } = await ask(a, { fill: 0, from: 0 });
    b.send({ dial: port });
    await ask(a, "whole");
    await steady(a, b, { box, object: generator }, rate, seconds);
    const lost = balancerTables(generator).counters().eventLost;
    console.log(`events lost in the ring buffer: ${lost}`);
    b.kill();
    await once(b, "exit");
    pinsB.remove();
    const flowsOfA = (await ask(a, "flows")).flows ?? 0;
    const topUp = await start(pinsA.directory, true);
    await ask(topUp, { fill: Math.max(0, tableFlows - flowsOfA), from: rate * seconds });
    topUp.kill();
    const freshPins = mountPins(openBpf());
    b = await start(freshPins.directory);
    const [beforeA, beforeB] = [await ask(a, "cpu"), await ask(b, "cpu")];
    b.send({ dial: port });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { millis = 0 } = await ask(a, "whole");
    const [afterA, afterB] = [await ask(a, "cpu"), await ask(b, "cpu")];
    const { flows = 0 } = await ask(b, "flows");
    const spent = (x: Answer, y: Answer) => (((y.micros ?? 0) - (x.micros ?? 0)) / 1_000).toFixed(0);
    console.log(
      `joining box: ${flows} flows in ${millis.toFixed(0)} ms from the dial; processor: serving box ${spent(beforeA, afterA)} ms, joining box ${spent(beforeB, afterB)} ms`,
    );
    b.kill();
    await once(b, "exit");
    freshPins.remove();
  } finally {
    a.kill();
    b.kill();
    generator.close();
    await box.destroy();
    pinsA.remove();
  }
}

async function steady(
  a: ChildProcess,
  b: ChildProcess,
  { box, object }: { readonly box: TestBox; readonly object: BpfObject },
  rate: number,
  seconds: number,
): Promise<void> {
  const program = object.program("futago_balancer");
  const before = [await ask(a, "cpu"), await ask(b, "cpu")];
  const from = performance.now();
  let made = 0;
  while (performance.now() - from < seconds * 1_000) {
    const due = Math.min(rate * seconds, ((performance.now() - from) / 1_000) * rate);
    box.namespace.inside(() => {
      while (made < due) handshake(program, box, made++);
    });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const spent = (performance.now() - from) / 1_000;
  const after = [await ask(a, "cpu"), await ask(b, "cpu")];
  await new Promise((resolve) => setTimeout(resolve, 200));
  const share = (i: number) => (((after[i]?.micros ?? 0) - (before[i]?.micros ?? 0)) / 1e4 / spent).toFixed(1);
  const flows = [(await ask(a, "flows")).flows, (await ask(b, "flows")).flows];
  console.log(
    `${(made / spent).toFixed(0)} connections/s for ${spent.toFixed(1)} s: serving box ${share(0)} % of a core, standby ${share(1)} %; flows ${flows.join(" and ")}`,
  );
}

function handshake(program: BpfProgram, { eth0, eth1 }: TestBox, i: number): void {
  const { client, clientPort } = clientOf(i);
  const there = { source: client, destination: VIP, sourcePort: clientPort, destinationPort: 80 };
  const back = { source: SERVER, destination: client, sourcePort: 8080, destinationPort: clientPort };
  program.testRun(tcpFrame({ ...there, flags: SYN }), 1, eth0);
  program.testRun(tcpFrame({ ...back, flags: SYN | ACK, sequence: 2_000 }), 1, eth1);
  program.testRun(tcpFrame({ ...there, flags: ACK, acknowledgement: 2_001 }), 1, eth0);
}

async function start(directory: string, quiet = false): Promise<ChildProcess> {
  const child = fork(import.meta.filename, ["core", directory], { stdio: quiet ? "ignore" : "inherit" });
  await once(child, "message");
  return child;
}

async function ask(child: ChildProcess, order: Order): Promise<Answer> {
  const answered = once(child, "message");
  child.send(order);
  const [answer] = (await answered) as [Answer];
  return answer;
}
