/**
 * What a box tells its peer of the flows that it serves, in which order, and what it keeps until the peer has it.
 * Decides when a connection can be resumed where it broke and when the whole table must be told anew. Reads no table and
 * sends nothing itself. The peer's half is receiver.ts.
 */
import { RECORD_BYTES, RECORD_KEY_BYTES } from "@futago/hal/units/flow-record.ts";
import { after, earliest, type Instant, seconds } from "@futago/hal/units/time.ts";
import { encodeFrame, type FlowStreamFrame, type Has, RECORDS_MAX } from "./frame.ts";

/** Kept for a peer that is away; beyond that it gets the whole table when it is back. */
const LOG_BYTES_MAX = 4 << 20;
const LOG_FRAMES_MAX = 4_096;
/** On the way while the table is walked: enough for a busy cable, little for a slow reader. */
const WALK_BYTES_MAX = 512 << 10;
/** A peer that takes this long to acknowledge anything is dialled anew. */
const STUCK_AFTER = seconds(5);
/** The table is told anew from time to time: what is idle keeps its age, and whatever went wrong is put right. */
const REFRESH_AFTER = seconds(600);
/** Between two walks, when changes are missed all the time. */
const REST = seconds(1);

interface Logged {
  readonly position: number;
  readonly bytes: Uint8Array;
}

interface Walk {
  readonly sync: number;
  /** A slice was asked for and is not there yet. */
  readonly asked: boolean;
}

export interface SenderState {
  /** Another for each run of core, so that a position means something. */
  readonly stream: bigint;
  readonly connected: boolean;
  /** Of the newest frame. */
  readonly position: number;
  readonly acknowledged: number;
  /** Frames that the peer has not acknowledged, without gaps. */
  readonly log: readonly Logged[];
  readonly logBytes: number;
  /** The whole table must be told: the peer's is not known to be right. */
  readonly wanted: boolean;
  readonly walk: Walk | undefined;
  /** The number of the newest walk. */
  readonly sync: number;
  /** Where the newest complete walk ended: from there on the peer's table is this box's. */
  readonly wholeAt: number | undefined;
  /** The virtual addresses whose flows are told, 16 bytes each. */
  readonly vips: Uint8Array;
  readonly stuckAt: Instant | undefined;
  readonly refreshAt: Instant | undefined;
  /** No walk begins before that. */
  readonly restsUntil: Instant | undefined;
}

export type SenderInput =
  /** `has` is what the peer has of this stream, as it says. */
  | { readonly kind: "connected"; readonly has: Has }
  | { readonly kind: "disconnected" }
  /** The groups that this box holds are others. */
  | { readonly kind: "vips"; readonly vips: Uint8Array }
  | { readonly kind: "flows"; readonly records: Uint8Array }
  | { readonly kind: "ends"; readonly keys: Uint8Array }
  /** Some change may have been missed. */
  | { readonly kind: "missed" }
  /** The answer to `walk`. */
  | { readonly kind: "slice"; readonly sync: number; readonly records: Uint8Array; readonly last: boolean }
  | { readonly kind: "acknowledged"; readonly position: number }
  | { readonly kind: "timeout" };

export type SenderAction =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  /** Read the next slice of the table, or the first. */
  | { readonly kind: "walk"; readonly sync: number; readonly first: boolean }
  | { readonly kind: "reconnect"; readonly reason: SenderReason };

export type SenderReason = "stuck" | "notSentYet";

export interface SenderStep {
  readonly state: SenderState;
  readonly actions: readonly SenderAction[];
}

/** `stream` and `sync` are random: 64 and 32 bits. */
export function newSender(stream: bigint, sync: number): SenderState {
  return {
    stream,
    connected: false,
    position: 0,
    acknowledged: 0,
    log: [],
    logBytes: 0,
    wanted: true,
    walk: undefined,
    sync,
    wholeAt: undefined,
    vips: new Uint8Array(0),
    stuckAt: undefined,
    refreshAt: undefined,
    restsUntil: undefined,
  };
}

/** Whether the peer had the whole table as it stood a moment ago: frames not acknowledged are at most that old. */
export function isWhole(state: SenderState): boolean {
  return state.connected && !state.wanted && state.wholeAt !== undefined && state.acknowledged >= state.wholeAt;
}

/** Whether there is a peer, and little is on the way to it: what can wait may be told. */
export function keepsUp(state: SenderState): boolean {
  return state.connected && state.logBytes <= WALK_BYTES_MAX;
}

export function nextTimeout(state: SenderState): Instant | undefined {
  if (!state.connected) return undefined;
  const walkAt = state.wanted && state.walk === undefined ? state.restsUntil : undefined;
  return earliest(earliest(state.stuckAt, state.refreshAt), walkAt);
}

export function stepSender(state: SenderState, input: SenderInput, now: Instant): SenderStep {
  switch (input.kind) {
    case "connected":
      return goOn(connect(state, input.has, now), now);
    case "disconnected":
      return { state: disconnect(state), actions: [] };
    case "vips":
      return goOn({ state: { ...state, vips: input.vips, ...restart }, actions: [] }, now);
    case "flows":
      return goOn(tell({ state, actions: [] }, flowFrames(input.records), now), now);
    case "ends":
      return goOn(tell({ state, actions: [] }, endFrames(input.keys), now), now);
    case "missed":
      // A walk that is on its way may have passed the place already.
      return goOn({ state: { ...state, wanted: true }, actions: [] }, now);
    case "slice":
      return goOn(takeSlice(state, input, now), now);
    case "acknowledged":
      return goOn(acknowledge(state, input.position, now), now);
    case "timeout":
      return goOn(timeOut(state, now), now);
  }
}

const restart = { wanted: true, walk: undefined, restsUntil: undefined } as const;

function connect(state: SenderState, has: Has, now: Instant): SenderStep {
  const begun: SenderState = { ...state, connected: true, walk: undefined };
  const log = state.log.filter(({ position }) => position > has.position);
  const oldest = log[0]?.position ?? state.position + 1;
  const resumes = has.stream === state.stream && has.position <= state.position && oldest === has.position + 1;
  if (!resumes) {
    const afresh = { ...begun, ...restart, log: [], logBytes: 0, acknowledged: 0, wholeAt: undefined };
    return { state: { ...afresh, stuckAt: undefined }, actions: [] };
  }
  const stuckAt = log.length === 0 ? undefined : after(now, STUCK_AFTER);
  return {
    state: { ...begun, log, logBytes: bytesOf(log), acknowledged: has.position, stuckAt },
    actions: log.map(({ bytes }) => ({ kind: "send", bytes })),
  };
}

function disconnect(state: SenderState): SenderState {
  const broken = state.walk !== undefined;
  return { ...state, connected: false, walk: undefined, wanted: state.wanted || broken, stuckAt: undefined };
}

type Body = (position: number) => FlowStreamFrame;

function flowFrames(records: Uint8Array): readonly Body[] {
  return pieces(records, RECORDS_MAX * RECORD_BYTES).map((piece) => (position) => ({
    kind: "flows",
    position,
    records: piece,
  }));
}

function endFrames(keys: Uint8Array): readonly Body[] {
  return pieces(keys, RECORDS_MAX * RECORD_KEY_BYTES).map((piece) => (position) => ({
    kind: "ends",
    position,
    keys: piece,
  }));
}

function pieces(bytes: Uint8Array, pieceBytes: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / pieceBytes);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes));
}

/** Gives frames their positions, keeps them, and sends them when somebody is there. */
function tell({ state, actions }: SenderStep, bodies: readonly Body[], now: Instant): SenderStep {
  // Nothing is kept for a peer that gets the whole table anyway.
  if (bodies.length === 0 || (!state.connected && state.wanted)) return { state, actions };
  const logged = bodies.map((body, i): Logged => {
    const position = state.position + i + 1;
    return { position, bytes: encodeFrame(body(position)) };
  });
  const logBytes = state.logBytes + bytesOf(logged);
  const position = state.position + logged.length;
  if (logBytes > LOG_BYTES_MAX || state.log.length + logged.length > LOG_FRAMES_MAX)
    return overflow({ ...state, position }, actions);
  const sent = state.connected ? logged.map(({ bytes }): SenderAction => ({ kind: "send", bytes })) : [];
  const stuckAt = state.connected ? (state.stuckAt ?? after(now, STUCK_AFTER)) : undefined;
  return {
    state: { ...state, position, log: [...state.log, ...logged], logBytes, stuckAt },
    actions: [...actions, ...sent],
  };
}

function overflow(state: SenderState, actions: readonly SenderAction[]): SenderStep {
  const emptied = { ...state, ...restart, log: [], logBytes: 0 };
  if (!state.connected) return { state: emptied, actions };
  return { state: { ...emptied, connected: false }, actions: [...actions, { kind: "reconnect", reason: "stuck" }] };
}

function takeSlice(state: SenderState, slice: Extract<SenderInput, { kind: "slice" }>, now: Instant): SenderStep {
  if (state.walk?.sync !== slice.sync) return { state, actions: [] };
  const walking: SenderState = { ...state, walk: { sync: slice.sync, asked: false } };
  const told = tell({ state: walking, actions: [] }, flowFrames(slice.records), now);
  if (!slice.last || !told.state.connected) return told;
  const end: Body = (position) => ({ kind: "end", position, sync: slice.sync });
  const ended = tell(told, [end], now);
  const { position } = ended.state;
  const times = { refreshAt: after(now, REFRESH_AFTER), restsUntil: after(now, REST) };
  return { ...ended, state: { ...ended.state, walk: undefined, wholeAt: position, ...times } };
}

function acknowledge(state: SenderState, position: number, now: Instant): SenderStep {
  if (!state.connected || position <= state.acknowledged) return { state, actions: [] };
  if (position > state.position)
    return { state: disconnect(state), actions: [{ kind: "reconnect", reason: "notSentYet" }] };
  const log = state.log.filter((one) => one.position > position);
  const stuckAt = log.length === 0 ? undefined : after(now, STUCK_AFTER);
  return { state: { ...state, acknowledged: position, log, logBytes: bytesOf(log), stuckAt }, actions: [] };
}

function timeOut(state: SenderState, now: Instant): SenderStep {
  if (!state.connected) return { state, actions: [] };
  if (state.stuckAt !== undefined && state.stuckAt <= now)
    return { state: disconnect(state), actions: [{ kind: "reconnect", reason: "stuck" }] };
  if (state.refreshAt === undefined || state.refreshAt > now) return { state, actions: [] };
  return { state: { ...state, wanted: true, refreshAt: undefined }, actions: [] };
}

/** Begins a walk that is wanted, or asks for the next slice of one while the peer keeps up. */
function goOn(step: SenderStep, now: Instant): SenderStep {
  const { state, actions } = step;
  if (!state.connected) return step;
  if (state.walk === undefined && state.wanted) {
    if (state.restsUntil !== undefined && state.restsUntil > now) return step;
    const sync = nextSync(state.sync);
    const begin: Body = (position) => ({ kind: "begin", position, sync, vips: state.vips });
    const begun = { ...state, sync, wanted: false, wholeAt: undefined, walk: { sync, asked: true } };
    const told = tell({ state: begun, actions }, [begin], now);
    return told.state.connected ? { ...told, actions: [...told.actions, { kind: "walk", sync, first: true }] } : told;
  }
  if (state.walk === undefined || state.walk.asked || state.logBytes > WALK_BYTES_MAX) return step;
  const { sync } = state.walk;
  return {
    state: { ...state, walk: { sync, asked: true } },
    actions: [...actions, { kind: "walk", sync, first: false }],
  };
}

/** Never 0, which marks a flow that nobody told. */
function nextSync(sync: number): number {
  return (sync + 1) >>> 0 || 1;
}

function bytesOf(log: readonly Logged[]): number {
  return log.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
