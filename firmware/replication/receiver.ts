/**
 * What a box does with what its peer tells of flows: carries out each frame once and in order, says how far it is, and
 * clears away what a complete table did not name. It judges no record (directory.ts) and writes no table.
 */
import type { Instant } from "@futago/hal/units/time.ts";
import type { FlowStreamFrame, Has } from "./frame.ts";

export interface ReceiverState {
  /** Stream 0: nothing yet. Kept over broken connections. */
  readonly has: Has;
  /** Of the peer that is connected. */
  readonly stream: bigint | undefined;
  /** Marks what is written; see `apply`. */
  readonly epoch: number;
  readonly table: WholeTable | undefined;
  readonly acknowledged: number;
}

/** A whole table that is being told. */
interface WholeTable {
  readonly sync: number;
  readonly vips: Uint8Array;
  readonly since: Instant;
}

export type ReceiverInput =
  | { readonly kind: "connected"; readonly stream: bigint }
  | { readonly kind: "disconnected" }
  | { readonly kind: "frame"; readonly frame: FlowStreamFrame }
  /** All that has arrived was carried out. */
  | { readonly kind: "settled" };

export type ReceiverAction =
  /** Write these flows and mark them with the epoch. */
  | { readonly kind: "apply"; readonly records: Uint8Array; readonly epoch: number }
  | { readonly kind: "remove"; readonly keys: Uint8Array }
  /** A table begins: a sweep that is still going on would take for old what is told now. */
  | { readonly kind: "stopSweep" }
  /** Remove what is of these virtual addresses, bears another epoch, and was not used since. */
  | { readonly kind: "sweep"; readonly epoch: number; readonly vips: Uint8Array; readonly since: Instant }
  | { readonly kind: "acknowledge"; readonly position: number }
  | { readonly kind: "reconnect"; readonly reason: ReceiverReason };

/** Why the connection is made anew. */
export type ReceiverReason = "gap" | "noTableYet" | "otherTable";

export interface ReceiverStep {
  readonly state: ReceiverState;
  readonly actions: readonly ReceiverAction[];
}

export function newReceiver(): ReceiverState {
  return { has: { stream: 0n, position: 0 }, stream: undefined, epoch: 0, table: undefined, acknowledged: 0 };
}

export function stepReceiver(state: ReceiverState, input: ReceiverInput, now: Instant): ReceiverStep {
  switch (input.kind) {
    case "connected":
      return { state: { ...state, stream: input.stream, acknowledged: state.has.position }, actions: [] };
    case "disconnected":
      return { state: { ...state, stream: undefined }, actions: [] };
    case "frame":
      return state.stream === undefined ? { state, actions: [] } : take(state, state.stream, input.frame, now);
    case "settled":
      return settle(state);
  }
}

function take(state: ReceiverState, stream: bigint, frame: FlowStreamFrame, now: Instant): ReceiverStep {
  const isKnown = state.has.stream === stream;
  if (isKnown && frame.position <= state.has.position) return { state, actions: [] };
  // A table that begins needs nothing of what went before.
  if (frame.kind !== "begin") {
    if (!isKnown) return reconnect(state, "noTableYet");
    if (frame.position !== state.has.position + 1) return reconnect(state, "gap");
  }
  const next = { ...state, has: { stream, position: frame.position } };
  switch (frame.kind) {
    case "begin":
      return {
        state: { ...next, epoch: frame.sync, table: { sync: frame.sync, vips: frame.vips.slice(), since: now } },
        actions: [{ kind: "stopSweep" }],
      };
    case "flows":
      return { state: next, actions: [{ kind: "apply", records: frame.records, epoch: state.epoch }] };
    case "ends":
      return { state: next, actions: [{ kind: "remove", keys: frame.keys }] };
    case "end": {
      const { table } = state;
      if (table?.sync !== frame.sync) return reconnect(state, "otherTable");
      const { vips, since } = table;
      return { state: { ...next, table: undefined }, actions: [{ kind: "sweep", epoch: frame.sync, vips, since }] };
    }
  }
}

/** The connection counts for nothing from here on; what is on its way is asked for again. */
function reconnect(state: ReceiverState, reason: ReceiverReason): ReceiverStep {
  return { state: { ...state, stream: undefined }, actions: [{ kind: "reconnect", reason }] };
}

function settle(state: ReceiverState): ReceiverStep {
  const { position } = state.has;
  if (state.stream === undefined || state.has.stream !== state.stream || position === state.acknowledged)
    return { state, actions: [] };
  return { state: { ...state, acknowledged: position }, actions: [{ kind: "acknowledge", position }] };
}
