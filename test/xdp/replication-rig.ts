/** Two balancers with tables of their own, and their replication over TLS as the two cores speak it. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { connect, TLSSocket } from "node:tls";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { instant } from "@futago/hal/units/time.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { type BalancerTables, balancerTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import type { BalancedService } from "@futago/firmware/balancer/service.ts";
import { standingServices } from "@futago/firmware/balancer/standing.ts";
import { directoryOf, wideAddresses } from "@futago/firmware/runtime/core/replication/directory-of.ts";
import { Replication } from "@futago/firmware/runtime/core/replication/replication.ts";
import { addressOf, SEED } from "./box.ts";
import { bootNanos, mountPins } from "./pins.ts";

export const clock = { now: () => instant(Number(bootNanos() / 1_000n)) };

export class Side {
  readonly object: BpfObject;
  readonly tables: BalancerTables;
  readonly counts = new Map<string, number>();
  readonly #close: () => void;
  replication: Replication;

  /** Loads a balancer of its own, unless one is given. */
  constructor(sizes: Readonly<Record<string, number>>, given?: BpfObject) {
    const pins = given === undefined ? mountPins(openBpf()) : undefined;
    this.object = given ?? openBpf().load("balancer", pins?.directory ?? "", sizes);
    this.tables = balancerTables(this.object);
    this.replication = this.#start();
    this.#close = () => {
      this.replication.close();
      if (pins === undefined) return;
      this.object.close();
      pins.remove();
    };
  }

  serve(services: readonly BalancedService[]): void {
    const standing = this.tables.read();
    const compiled = compileServices({ seed: SEED, services, servicesMax: 256, own: new Set() }, standing);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.reason));
    this.tables.apply(diffEntries(standing, compiled.value));
    this.replication.setServices(directoryOf(standingServices({ kind: "found", entries: this.tables.read() })));
  }

  own(...addresses: readonly string[]): void {
    this.replication.setOwn(wideAddresses(addresses.map(addressOf)));
  }

  /** As when core dies and comes back: the tables stay. */
  restart(): void {
    this.replication.close();
    this.replication = this.#start();
    this.replication.setServices(directoryOf(standingServices({ kind: "found", entries: this.tables.read() })));
  }

  close(): void {
    this.#close();
  }

  #start(): Replication {
    return new Replication({
      object: this.object,
      clock,
      stream: randomBytes(8).readBigUInt64BE(),
      epoch: randomBytes(4).readUInt32BE(),
      eventsLost: () => this.tables.counters().eventLost,
      onChange: () => undefined,
      count: (name) => this.counts.set(name, (this.counts.get(name) ?? 0) + 1),
    });
  }
}

/** The two ends of a TLS 1.3 connection with a pre-shared key, over the loopback device. */
export class Cable {
  readonly #psk = randomBytes(32);
  readonly #server: Server = createServer();

  async plug(): Promise<readonly [TLSSocket, TLSSocket]> {
    if (!this.#server.listening) {
      this.#server.listen(0, "127.0.0.1");
      await once(this.#server, "listening");
    }
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const tls = { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;
    const accepted = new Promise<TLSSocket>((resolve) => {
      this.#server.once("connection", (socket) => {
        const options = { ...tls, isServer: true, requestCert: false, pskCallback: () => this.#psk };
        const wrapped = new TLSSocket(socket, options);
        wrapped.on("error", () => wrapped.destroy());
        wrapped.once("secure", () => resolve(wrapped));
      });
    });
    const pskCallback = () => ({ psk: this.#psk, identity: "b" });
    const dialled = connect({ ...tls, port, ca: [], checkServerIdentity: () => undefined, pskCallback });
    dialled.on("error", () => dialled.destroy());
    const [server] = await Promise.all([accepted, once(dialled, "secureConnect")]);
    return [server, dialled];
  }

  async join(a: Side, b: Side): Promise<readonly [TLSSocket, TLSSocket]> {
    const [server, dialled] = await this.plug();
    a.replication.attach(server);
    b.replication.attach(dialled);
    return [server, dialled];
  }

  close(): void {
    this.#server.close();
  }
}
