/**
 * The open flows of each client at services that limit them. The balancer counts; what it cannot see (a flow collected
 * here, or one that a table forgot, or a limit that is new) is put right after a walk of the tables, where a count
 * stood still meanwhile.
 */
import type { BpfMap, BpfObject } from "@futago/hal/contract/bpf.ts";
import { SERVICE_BACKENDS_MAX } from "@futago/hal/units/balancer.ts";
import { numberAt, putNumber, viewOf } from "@futago/hal/xdp/layout.ts";

/** struct service_open. */
const OPEN_BYTES = 16;
const BY_CLIENT_AT = 8;
const ADDRESS_BYTES = 16;

export class ClientFlows {
  readonly #services: Uint8Array;
  readonly #clients: BpfMap;
  #before: ReadonlyMap<string, bigint> = new Map();
  #found = new Map<string, bigint>();

  constructor(object: BpfObject) {
    this.#services = object.map("service_open").memory();
    this.#clients = object.map("client_open");
  }

  /** A walk of the tables begins. */
  begin(): void {
    this.#before = this.#read();
    this.#found = new Map();
  }

  /** An open flow of this backend's number, with its key at `at`. */
  found(backend: number, keys: Uint8Array, at: number): void {
    const service = Math.floor(backend / SERVICE_BACKENDS_MAX);
    if (numberAt(this.#services, service * OPEN_BYTES + BY_CLIENT_AT) === 0) return;
    const key = new Uint8Array(this.#clients.keyBytes);
    key.set(keys.subarray(at, at + ADDRESS_BYTES));
    putNumber(key, ADDRESS_BYTES, service);
    const text = Buffer.from(key).toString("latin1");
    this.#found.set(text, (this.#found.get(text) ?? 0n) + 1n);
  }

  /** The walk is over. */
  correct(): void {
    const now = this.#read();
    for (const [text, found] of this.#found) {
      if (now.get(text) === this.#before.get(text) && now.get(text) !== found) this.#put(text, found);
    }
    for (const [text, open] of now) {
      if (!this.#found.has(text) && this.#before.get(text) === open) this.#clients.delete(Buffer.from(text, "latin1"));
    }
  }

  #put(text: string, open: bigint): void {
    const value = new Uint8Array(8);
    viewOf(value).setBigInt64(0, open, true);
    this.#clients.update(Buffer.from(text, "latin1"), value);
  }

  #read(): ReadonlyMap<string, bigint> {
    const all = new Map<string, bigint>();
    for (const [key, value] of this.#clients.entries()) {
      all.set(Buffer.from(key).toString("latin1"), viewOf(value).getBigInt64(0, true));
    }
    return all;
  }
}
