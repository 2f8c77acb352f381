/**
 * What the two cores say to each other of flows, as bytes on a stream: docs/wire/flows.md. The peer is hostile input:
 * lengths are bounded before anything is read, and no bytes make a decoder throw. Big-endian.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------------------------------------------------------+
 *   |                length of what follows this word               |
 *   +---------------+-----------------------------------------------+
 *   |     kind      |                     zero                      |
 *   +---------------+-----------------------------------------------+
 *   |                          position (8)                         |
 *   +---------------------------------------------------------------+
 *   |                  as the kind says, up to 64 KiB               |
 *   +---------------------------------------------------------------+
 */
import { ADDRESS_BYTES, RECORD_BYTES, RECORD_KEY_BYTES, viewOf } from "@futago/hal/units/flow-record.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";

export const FLOWS_VERSION = 1;
/** In one frame of any kind. */
export const RECORDS_MAX = 1_000;
export const LENGTH_BYTES = 4;
const HEAD_BYTES = 12;
export const FRAME_BYTES_MAX = HEAD_BYTES + 64 * 1_024;
const POSITION_MAX = Number.MAX_SAFE_INTEGER;
export const TALLY_BYTES = 24;

export type FlowFrame =
  /** First on a connection. `has` is what the sender of this frame has of its receiver's stream; stream 0 is none. */
  | {
      readonly kind: "hello";
      readonly version: number;
      readonly stream: bigint;
      readonly has: Has;
    }
  | FlowStreamFrame
  /** Everything of the receiver's stream up to here has been carried out. */
  | { readonly kind: "acknowledge"; readonly position: number }
  /** How many flows of the receiver this box holds, by service: struct endpoint (20) and a number (4) each. */
  | { readonly kind: "tally"; readonly services: Uint8Array }
  /** Some records were refused that would not be now: the whole table, please. */
  | { readonly kind: "again" };

/** Frames with a position: one more than the frame before. */
export type FlowStreamFrame =
  /** Flows that are there: records of hal/units/flow-record.ts, end to end. */
  | { readonly kind: "flows"; readonly position: number; readonly records: Uint8Array }
  /** Flows that ended: the records' keys, end to end. */
  | { readonly kind: "ends"; readonly position: number; readonly keys: Uint8Array }
  /** The whole table of these virtual addresses follows. */
  | { readonly kind: "begin"; readonly position: number; readonly sync: number; readonly vips: Uint8Array }
  /** That was the whole table: what it did not name is no more. */
  | { readonly kind: "end"; readonly position: number; readonly sync: number };

export interface Has {
  readonly stream: bigint;
  readonly position: number;
}

/** Why the peer's bytes were not taken; the counter's name, too. The connection is made anew. */
export type FlowFrameRefusal = "badLength" | "badKind" | "badPosition" | "badBody";

const KINDS = { hello: 1, flows: 2, ends: 3, begin: 4, end: 5, acknowledge: 6, tally: 7, again: 8 } as const;

function frame(kind: keyof typeof KINDS, position: number, bodyBytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(LENGTH_BYTES + HEAD_BYTES + bodyBytes);
  const view = viewOf(bytes);
  view.setUint32(0, HEAD_BYTES + bodyBytes);
  view.setUint8(4, KINDS[kind]);
  view.setBigUint64(8, BigInt(position));
  return { bytes, view };
}

function withBody(kind: keyof typeof KINDS, position: number, body: Uint8Array): Uint8Array {
  const { bytes } = frame(kind, position, body.length);
  bytes.set(body, LENGTH_BYTES + HEAD_BYTES);
  return bytes;
}

const BODY_AT = LENGTH_BYTES + HEAD_BYTES;

export function encodeFrame(value: FlowFrame): Uint8Array {
  switch (value.kind) {
    case "hello": {
      const { bytes, view } = frame("hello", value.has.position, 20);
      view.setUint32(BODY_AT, value.version);
      view.setBigUint64(BODY_AT + 4, value.stream);
      view.setBigUint64(BODY_AT + 12, value.has.stream);
      return bytes;
    }
    case "flows":
      return withBody("flows", value.position, value.records);
    case "ends":
      return withBody("ends", value.position, value.keys);
    case "begin": {
      const { bytes, view } = frame("begin", value.position, 4 + value.vips.length);
      view.setUint32(BODY_AT, value.sync);
      bytes.set(value.vips, BODY_AT + 4);
      return bytes;
    }
    case "end": {
      const { bytes, view } = frame("end", value.position, 4);
      view.setUint32(BODY_AT, value.sync);
      return bytes;
    }
    case "acknowledge":
      return frame("acknowledge", value.position, 0).bytes;
    case "tally":
      return withBody("tally", 0, value.services);
    case "again":
      return frame("again", 0, 0).bytes;
  }
}

/** A frame without its length word. What it holds are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Result<FlowFrame, FlowFrameRefusal> {
  if (bytes.length < HEAD_BYTES || bytes.length > FRAME_BYTES_MAX) return refuse("badLength");
  const view = viewOf(bytes);
  const large = view.getBigUint64(4);
  if (large > BigInt(POSITION_MAX)) return refuse("badPosition");
  const position = Number(large);
  const body = bytes.subarray(HEAD_BYTES);
  switch (view.getUint32(0) >>> 24) {
    case KINDS.hello:
      return decodeHello(view, position);
    case KINDS.flows:
      return isList(body, RECORD_BYTES) ? ok({ kind: "flows", position, records: body }) : refuse("badBody");
    case KINDS.ends:
      return isList(body, RECORD_KEY_BYTES) ? ok({ kind: "ends", position, keys: body }) : refuse("badBody");
    case KINDS.begin: {
      if (body.length < 4 || (body.length - 4) % ADDRESS_BYTES !== 0) return refuse("badBody");
      return ok({ kind: "begin", position, sync: view.getUint32(HEAD_BYTES), vips: body.subarray(4) });
    }
    case KINDS.end:
      return body.length === 4 ? ok({ kind: "end", position, sync: view.getUint32(HEAD_BYTES) }) : refuse("badBody");
    case KINDS.acknowledge:
      return body.length === 0 ? ok({ kind: "acknowledge", position }) : refuse("badBody");
    case KINDS.tally:
      return body.length % TALLY_BYTES === 0 ? ok({ kind: "tally", services: body }) : refuse("badBody");
    case KINDS.again:
      return body.length === 0 ? ok({ kind: "again" }) : refuse("badBody");
  }
  return refuse("badKind");
}

function decodeHello(view: DataView, position: number): Result<FlowFrame, FlowFrameRefusal> {
  if (view.byteLength !== HEAD_BYTES + 20) return refuse("badBody");
  const version = view.getUint32(HEAD_BYTES);
  const stream = view.getBigUint64(HEAD_BYTES + 4);
  if (stream === 0n) return refuse("badBody");
  return ok({ kind: "hello", version, stream, has: { stream: view.getBigUint64(HEAD_BYTES + 12), position } });
}

function isList(body: Uint8Array, itemBytes: number): boolean {
  return body.length > 0 && body.length % itemBytes === 0 && body.length / itemBytes <= RECORDS_MAX;
}

/** Cuts a byte stream into frames. Holds the bytes of one frame at most. */
export class FrameReader {
  #held: Uint8Array = new Uint8Array(0);
  #failed = false;

  /** After a refusal nothing more is read. */
  push(chunk: Uint8Array): readonly Result<FlowFrame, FlowFrameRefusal>[] {
    if (this.#failed) return [];
    let bytes = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    const frames: Result<FlowFrame, FlowFrameRefusal>[] = [];
    while (bytes.length >= LENGTH_BYTES && !this.#failed) {
      const length = viewOf(bytes).getUint32(0);
      const tooLong = length > FRAME_BYTES_MAX;
      if (!tooLong && bytes.length < LENGTH_BYTES + length) break;
      const result = tooLong
        ? refuse<FlowFrameRefusal>("badLength")
        : decodeFrame(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
      this.#failed = !result.ok;
      frames.push(result);
      bytes = bytes.subarray(LENGTH_BYTES + length);
    }
    // A copy: what is left must not hold on to the chunk.
    this.#held = this.#failed ? new Uint8Array(0) : bytes.slice();
    return frames;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
