/**
 * Flows as the maps hold them, from and to the records of hal/units/flow-record.ts: by the thousand, so in bytes and
 * without an object per flow. Pure. The fields are those of structs.h.
 */
import {
  AGE_SECONDS_MAX,
  BACKEND_AT,
  BACKEND_PORT_AT,
  CLIENT_AT,
  CLIENT_PORT_AT,
  copyWords,
  PROTOCOL_AT,
  RECORD_BYTES,
  RECORD_KEY_BYTES,
  STATE_AT,
  VIP_AT,
  VIP_PORT_AT,
  viewOf,
} from "../units/flow-record.ts";
import {
  EVENT_ESTABLISHED,
  FLOW_BACKEND_FIN,
  FLOW_CLIENT_FIN,
  FLOW_CLOSED,
  FLOW_RESET,
  FLOW_TOLD,
  MAPS,
} from "./layout.ts";

export const FLOW_KEY_BYTES = RECORD_KEY_BYTES;
export const FLOW_BYTES = MAPS.established.valueBytes;
export const RETURN_BYTES = MAPS.returns.valueBytes;
export const FLOW_EVENT_BYTES = FLOW_KEY_BYTES + FLOW_BYTES + 8;

const BACKEND_BYTES = MAPS.backends.valueBytes;
const NUMBER_AT = 16;
const PORTS_AT = 20;
const EPOCH_AT = 24;
/** Of a flow of UDP, where one of TCP has its epoch. */
const BEGAN_AT = 24;
const FLAGS_AT = 28;
const SEEN_AT = 32;
const ENDED = FLOW_CLIENT_FIN | FLOW_BACKEND_FIN;

/** Whether the flow whose key stands at `at` is wanted. */
type Wanted = (view: DataView, at: number) => boolean;

/** Of a slice of `established`, those that are wanted and have not ended. `nowNanos` is CLOCK_BOOTTIME. */
export function recordsOfEntries(keys: Uint8Array, values: Uint8Array, nowNanos: number, wanted: Wanted): Uint8Array {
  const keyView = viewOf(keys);
  const valueView = viewOf(values);
  const records = new Uint8Array((keys.length / FLOW_KEY_BYTES) * RECORD_BYTES);
  const to = viewOf(records);
  let end = 0;
  for (let i = 0; i * FLOW_KEY_BYTES < keys.length; i++) {
    const flags = valueView.getUint8(i * FLOW_BYTES + FLAGS_AT);
    if ((flags & FLOW_RESET) !== 0 || (flags & ENDED) === ENDED || !wanted(keyView, i * FLOW_KEY_BYTES)) continue;
    writeRecord(keyView, i * FLOW_KEY_BYTES, valueView, i * FLOW_BYTES, nowNanos, to, end);
    end += RECORD_BYTES;
  }
  return records.subarray(0, end);
}

/** Of a batch of struct flow_event, the flows that began and are wanted. */
export function recordsOfEvents(events: Uint8Array, nowNanos: number, wanted: Wanted): Uint8Array {
  const view = viewOf(events);
  const records = new Uint8Array((events.length / FLOW_EVENT_BYTES) * RECORD_BYTES);
  const to = viewOf(records);
  let end = 0;
  for (let at = 0; at < events.length; at += FLOW_EVENT_BYTES) {
    const kind = view.getUint32(at + FLOW_EVENT_BYTES - 4, true);
    if (kind !== EVENT_ESTABLISHED || !wanted(view, at)) continue;
    writeRecord(view, at, view, at + FLOW_KEY_BYTES, nowNanos, to, end);
    end += RECORD_BYTES;
  }
  return records.subarray(0, end);
}

function writeRecord(
  key: DataView,
  keyAt: number,
  value: DataView,
  valueAt: number,
  nowNanos: number,
  to: DataView,
  at: number,
): void {
  copyWords(key, keyAt, to, at, RECORD_KEY_BYTES);
  copyWords(value, valueAt, to, at + BACKEND_AT, 16);
  copyWords(value, valueAt + PORTS_AT, to, at + BACKEND_PORT_AT, 4);
  const age = Math.floor((nowNanos - seenAt(value, valueAt)) / 1e9);
  const flags = value.getUint8(valueAt + FLAGS_AT) & ENDED;
  to.setUint32(at + STATE_AT, (flags << 24) | Math.min(Math.max(age, 0), AGE_SECONDS_MAX));
}

function seenAt(value: DataView, at: number): number {
  return value.getUint32(at + SEEN_AT + 4, true) * 0x1_0000_0000 + value.getUint32(at + SEEN_AT, true);
}

/** Keys and values of a map, filled one by one; both tables of flows have keys of one length. */
abstract class Entries {
  protected readonly allKeys: Uint8Array;
  protected readonly allValues: Uint8Array;
  protected readonly keyView: DataView;
  protected readonly valueView: DataView;
  readonly #valueBytes: number;
  count = 0;

  constructor(room: number, valueBytes: number) {
    this.#valueBytes = valueBytes;
    this.allKeys = new Uint8Array(room * FLOW_KEY_BYTES);
    this.allValues = new Uint8Array(room * valueBytes);
    this.keyView = viewOf(this.allKeys);
    this.valueView = viewOf(this.allValues);
  }

  get keys(): Uint8Array {
    return this.allKeys.subarray(0, this.count * FLOW_KEY_BYTES);
  }

  get values(): Uint8Array {
    return this.allValues.subarray(0, this.count * this.#valueBytes);
  }
}

/** Room for `count` entries of `established`, to be filled one by one. */
export class FlowEntries extends Entries {
  constructor(room: number) {
    super(room, FLOW_BYTES);
  }

  /** A record of the peer as this box holds it. */
  addTold(record: DataView, at: number, backend: number, epoch: number, nowNanos: number): void {
    this.#add(record, at, backend, epoch, FLOW_TOLD, nowNanos);
  }

  /** The same of a flow of UDP: it bears no mark, and began long ago. */
  addDatagrams(record: DataView, at: number, backend: number, nowNanos: number): void {
    this.#add(record, at, backend, 0, 0, nowNanos);
  }

  #add(record: DataView, at: number, backend: number, word: number, flags: number, nowNanos: number): void {
    const valueAt = this.count * FLOW_BYTES;
    const state = record.getUint32(at + STATE_AT);
    const seen = Math.max(0, nowNanos - (state & AGE_SECONDS_MAX) * 1e9);
    copyWords(record, at, this.keyView, this.count * FLOW_KEY_BYTES, RECORD_KEY_BYTES);
    copyWords(record, at + BACKEND_AT, this.valueView, valueAt, 16);
    copyWords(record, at + BACKEND_PORT_AT, this.valueView, valueAt + PORTS_AT, 4);
    this.valueView.setUint32(valueAt + NUMBER_AT, backend, true);
    this.valueView.setUint32(valueAt + EPOCH_AT, word, true);
    const closed = ((state >>> 24) & ENDED) === ENDED ? FLOW_CLOSED : 0;
    this.valueView.setUint8(valueAt + FLAGS_AT, (state >>> 24) | flags | closed);
    this.valueView.setUint32(valueAt + SEEN_AT, seen % 0x1_0000_0000, true);
    this.valueView.setUint32(valueAt + SEEN_AT + 4, Math.floor(seen / 0x1_0000_0000), true);
    this.count++;
  }

  /** Entry `i` of another pair of arrays, as it stands there. */
  addCopy(keys: Uint8Array, values: Uint8Array, i: number): void {
    this.allKeys.set(keys.subarray(i * FLOW_KEY_BYTES, (i + 1) * FLOW_KEY_BYTES), this.count * FLOW_KEY_BYTES);
    this.allValues.set(values.subarray(i * FLOW_BYTES, (i + 1) * FLOW_BYTES), this.count * FLOW_BYTES);
    this.count++;
  }
}

/** What is read of one entry of `established` among many. */
export class FlowValues {
  readonly #view: DataView;

  constructor(values: Uint8Array) {
    this.#view = viewOf(values);
  }

  backend(i: number): number {
    return this.#view.getUint32(i * FLOW_BYTES + NUMBER_AT, true);
  }

  /** FLOW_*. */
  flags(i: number): number {
    return this.#view.getUint8(i * FLOW_BYTES + FLAGS_AT);
  }

  /** Whether element `j` of `backends` is still what the flow was given to. */
  isPlacedAt(i: number, backends: DataView, j: number): boolean {
    const [at, place] = [i * FLOW_BYTES, j * BACKEND_BYTES];
    for (let word = 0; word < 16; word += 4) {
      if (this.#view.getUint32(at + word) !== backends.getUint32(place + word)) return false;
    }
    return this.#view.getUint16(at + PORTS_AT) === backends.getUint16(place + 16);
  }

  isTold(i: number): boolean {
    return (this.#view.getUint8(i * FLOW_BYTES + FLAGS_AT) & FLOW_TOLD) !== 0;
  }

  /** Of the table in which the peer told it; of a flow that nobody told it means nothing. */
  epoch(i: number): number {
    return this.#view.getUint32(i * FLOW_BYTES + EPOCH_AT, true);
  }

  seenNanos(i: number): number {
    return seenAt(this.#view, i * FLOW_BYTES);
  }

  /** Of a flow of UDP, CLOCK_BOOTTIME: whole seconds, the second that it began in. */
  beganNanos(i: number): number {
    return this.#view.getUint32(i * FLOW_BYTES + BEGAN_AT, true) * 1e9;
  }

  /** Whether entry `i` of both is, towards the backend, the same flow. */
  hasSameTwin(i: number, other: FlowValues): boolean {
    for (const at of [0, 4, 8, 12, PORTS_AT])
      if (this.#view.getUint32(i * FLOW_BYTES + at) !== other.#view.getUint32(i * FLOW_BYTES + at)) return false;
    return true;
  }

  /** Not 0 in `one-arm`: then `returns` has a twin. */
  vipSourcePort(i: number): number {
    return this.#view.getUint16(i * FLOW_BYTES + PORTS_AT + 2);
  }
}

/** The twins in `returns` of entries of `established` that have one. */
export class ReturnEntries extends Entries {
  constructor(room: number) {
    super(room, RETURN_BYTES);
  }

  /** The twin of entry `i`. */
  add(keys: DataView, values: DataView, i: number, service: number): void {
    const keyAt = i * FLOW_KEY_BYTES;
    const valueAt = i * FLOW_BYTES;
    const at = this.count * FLOW_KEY_BYTES;
    const to = this.count * RETURN_BYTES;
    copyWords(values, valueAt, this.keyView, at, 16);
    copyWords(keys, keyAt + VIP_AT, this.keyView, at + VIP_AT, 16);
    copyWords(values, valueAt + PORTS_AT, this.keyView, at + CLIENT_PORT_AT, 4);
    copyWords(keys, keyAt + PROTOCOL_AT, this.keyView, at + PROTOCOL_AT, 4);
    copyWords(keys, keyAt + CLIENT_AT, this.valueView, to, 16);
    this.valueView.setUint16(to + 16, keys.getUint16(keyAt + CLIENT_PORT_AT));
    this.valueView.setUint16(to + 18, keys.getUint16(keyAt + VIP_PORT_AT));
    this.valueView.setUint32(to + 20, values.getUint32(valueAt + NUMBER_AT, true), true);
    this.valueView.setUint32(to + 24, service, true);
    this.count++;
  }

  /** Whether what stands in the map at twin `i` is for the same client. */
  isSameClient(standing: Uint8Array, i: number): boolean {
    const at = i * RETURN_BYTES;
    for (let byte = 0; byte < 20; byte++) if (standing[at + byte] !== this.allValues[at + byte]) return false;
    return true;
  }
}
