/**
 * One end of the link between two cores, run inside a namespace by core-link.test.ts:
 *   core-link-end.ts BOX PORT KEY [ADDRESS DEVICE [ALPN]]
 * KEY is the pair's in hexadecimal, or the certificates of a paired box as JSON.
 * Prints what happens as JSON lines; a line on standard input is a picture of pools to tell, or "bundle": one is to go over.
 *
 * With BOX "raw" it holds the key but not the manners: what comes on standard input goes over the link as it is.
 */
import { createInterface } from "node:readline";
import { connect } from "node:tls";
import { fromHex } from "@futago/hal/units/bytes.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { Pair } from "@futago/firmware/runtime/core/pair.ts";
import type { PeerPool } from "@futago/firmware/runtime/core/peer-link/message.ts";
import {
  certificateCredentials,
  clientTls,
  keyCredentials,
} from "@futago/firmware/runtime/core/peer-link/credentials.ts";

const [box, port, key, address, device, alpn] = process.argv.slice(2);
const pinned = key?.startsWith("{")
  ? certificateCredentials(JSON.parse(key) as Parameters<typeof certificateCredentials>[0])
  : undefined;
const credentials = pinned ?? keyCredentials(fromHex(key ?? "") ?? new Uint8Array(0));
const revision = (box === "a" ? "aa" : "bb").repeat(32);
const say = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`);

if (box === "raw") speakRaw();
else speak();

function speakRaw(): void {
  const host = `${address}%${device}`;
  const names = alpn === undefined ? {} : { ALPNProtocols: [alpn] };
  const socket = connect({ ...clientTls(credentials, "b"), ...names, host, port: Number(port) });
  socket.on("secureConnect", () => say({ up: true }));
  socket.on("error", (error: Error) => say({ count: error.message }));
  socket.on("close", () => process.exit(0)).resume();
  process.stdin.on("data", (chunk) => socket.write(chunk));
}

function speak(): void {
  let wantsBundle = false;
  const mine = new Map<string, PeerPool>();
  const told = new Map<string, PeerPool>();
  const sayWhole = () => say({ up: pair.up, revision: pair.revision, told: [...told.values()] });
  const pair = new Pair({
    box: box as "a" | "b",
    port: Number(port),
    credentials,
    met: undefined,
    revision: () => revision,
    onChange: sayWhole,
    onTold: (pools) => {
      for (const pool of pools) told.set(pool.name, pool);
      sayWhole();
    },
    pictureOf: (name) => {
      const pool = mine.get(name);
      return pool === undefined ? undefined : { of: pool, make: () => pool };
    },
    poolNames: () => [...mine.keys()],
    onStale: (hosts) => say({ hosts }),
    onDrains: (drains) => say({ drains }),
    onLink: () => undefined,
    onArriving: (length) => say({ arriving: length }),
    onCommitMessage: () => undefined,
    onBoxMessage: () => undefined,
    onDrillMessage: () => undefined,
    onUpdateMessage: () => undefined,
    onTimelineMessage: () => undefined,
    onAccessMessage: () => undefined,
    onRotation: () => undefined,
    onActivation: () => undefined,
    onFarewell: () => undefined,
    mayMove: () => true,
    wantsFlows: () => true,
    onFlows: (socket) => {
      say({ flows: true });
      socket.on("close", () => say({ flows: false })).resume();
    },
    wantsBundle: () => wantsBundle,
    onBundle: (socket) => {
      say({ bundle: true });
      socket.on("close", () => say({ bundle: false })).resume();
    },
    count: (name) => say({ count: name }),
  });
  if (address !== undefined) pair.setAddresses([{ address, device: device as Ifname, ifindex: 0 }]);
  createInterface({ input: process.stdin }).on("line", (line) => {
    const pools = JSON.parse(line) as readonly PeerPool[] | "bundle";
    if (pools === "bundle") {
      wantsBundle = true;
      return;
    }
    for (const pool of pools) mine.set(pool.name, pool);
    pair.tell(pools.map(({ name }) => name));
  });
}
