/**
 * One core's half of replication with real maps, in a process of its own, for replication.ts: orders come as messages
 * from the parent. Its argument is the directory of pins.
 */
import { createServer, type Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { encodeFlow, encodeFlowKey } from "@futago/hal/xdp/layout-flows.ts";
import { addressOf, backend, service, VIP } from "../xdp/box.ts";
import { bootNanos } from "../xdp/pins.ts";
import { Side } from "../xdp/replication-rig.ts";
import { clientOf, type CoreAnswer, type CoreOrder, SERVER, SIZES } from "./replication-orders.ts";

const TLS = { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;
const psk = Buffer.alloc(32, 7);
const LOOK_MILLIS = 1;
/** What the copy of a table is written in, as the frames of flows are. */
const PIECE_BYTES = 64_000;

const side = new Side(SIZES, openBpf().load("balancer", process.argv[2] ?? "", SIZES));
side.serve([service(80, [backend(SERVER, 8080)])]);
const answer = (what: CoreAnswer) => void process.send?.(what);
/** Attaches it to replication, or measures what the same bytes cost without. */
let onLink: (socket: TLSSocket) => void = (socket) => side.replication.attach(socket);

const server = createServer((socket: Socket) => {
  const options = { ...TLS, isServer: true, requestCert: false, pskCallback: () => psk };
  const wrapped = new TLSSocket(socket, options);
  wrapped.on("error", () => wrapped.destroy());
  wrapped.once("secure", () => onLink(wrapped));
});

function dial(port: number): void {
  const pskCallback = () => ({ psk, identity: "b" });
  const socket = connect({ ...TLS, port, ca: [], checkServerIdentity: () => undefined, pskCallback });
  socket.on("error", () => socket.destroy());
  socket.once("secureConnect", () => onLink(socket));
}

function fill(from: number, count: number): void {
  const keys = Buffer.alloc(count * 40);
  const values = Buffer.alloc(count * 40);
  for (let i = 0; i < count; i++) {
    const { client, clientPort } = clientOf(from + i);
    const ends = { client: addressOf(client), clientPort, vip: addressOf(VIP), vipPort: 80, protocol: "tcp" as const };
    const rest = { address: addressOf(SERVER), port: 8080, vipSourcePort: 0, expectedAck: 0, flags: 0 };
    keys.set(encodeFlowKey(ends), i * 40);
    values.set(encodeFlow({ ...ends, ...rest, backend: 0, seenNanos: bootNanos() }), i * 40);
  }
  side.object.map("established").insertMany(keys, values);
}

/** Answers when the look finds it, with the time it took. */
function when(holds: () => boolean): void {
  const from = performance.now();
  const look = setInterval(() => {
    if (!holds()) return;
    clearInterval(look);
    answer({ millis: performance.now() - from });
  }, LOOK_MILLIS);
}

function carryOut(order: CoreOrder): void {
  switch (order.kind) {
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return answer({ micros: user + system });
    }
    case "flows":
      return answer({ flows: [...side.object.map("established").entries()].length });
    case "whole":
      return when(() => side.replication.status().whole);
    case "fill":
      fill(order.from, order.count);
      return answer({});
    case "listen":
      side.own(VIP);
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        answer({ port: typeof address === "object" && address !== null ? address.port : 0 });
      });
      return;
    case "dial":
      dial(order.port);
      return answer({});
    case "copyTo":
      onLink = (socket) => {
        for (let left = order.bytes; left > 0; left -= PIECE_BYTES)
          socket.write(Buffer.alloc(Math.min(left, PIECE_BYTES)));
      };
      return answer({});
    case "copyFrom": {
      let got = 0;
      onLink = (socket) => void socket.on("data", (bytes: Buffer) => (got += bytes.length));
      dial(order.port);
      return when(() => got >= order.bytes);
    }
  }
}

process.on("disconnect", () => process.exit(0));
process.on("message", carryOut);
answer({});
