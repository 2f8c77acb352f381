/** The addon's BPF functions, typed, and its errors as HalError. */
import { addon } from "../addon/load.ts";
import { HalError } from "../contract/error.ts";

export interface LoadedMap {
  readonly name: string;
  readonly fd: number;
  readonly keyBytes: number;
  /** Of one value; per-CPU maps have `valuesPerKey` of them. */
  readonly valueBytes: number;
  readonly valuesPerKey: number;
  readonly entriesMax: number;
}

export interface LoadedObject {
  readonly handle: unknown;
  readonly maps: readonly LoadedMap[];
  readonly programs: readonly { readonly name: string; readonly fd: number; readonly id: number }[];
}

export interface BpfCalls {
  bpfMount(directory: string): boolean;
  bpfUnmount(directory: string): void;
  bpfLoad(path: string, pinDirectory: string, sizes: Readonly<Record<string, number>>): LoadedObject;
  bpfLoadAside(path: string, pinDirectory: string, sizes: Readonly<Record<string, number>>): Promise<LoadedObject>;
  bpfClose(handle: unknown): void;
  bpfLookup(fd: number, key: Uint8Array, value: Uint8Array): boolean;
  bpfUpdate(fd: number, key: Uint8Array, value: Uint8Array): void;
  bpfDelete(fd: number, key: Uint8Array): boolean;
  bpfEntries(
    fd: number,
    keyBytes: number,
    valueBytes: number,
    entriesMax: number,
  ): { readonly count: number; readonly keys: Uint8Array; readonly values: Uint8Array };
  /** An empty cursor begins, and comes back after the last slice. */
  bpfSlice(
    fd: number,
    keyBytes: number,
    valueBytes: number,
    count: number,
    cursor: Uint8Array,
  ): { readonly keys: Uint8Array; readonly values: Uint8Array; readonly cursor: Uint8Array };
  bpfInsertMany: BpfManyCall;
  bpfUpdateMany: BpfManyCall;
  bpfLookupMany: BpfManyCall;
  bpfDeleteMany(fd: number, keyBytes: number, keys: Uint8Array, outcomes: Uint8Array): void;
  /** The callback gets the first batch after a quiet time; bpfRingTake the others, until one is empty. */
  bpfRingOpen(fd: number, recordBytes: number, onBatch: (batch: Uint8Array) => void): unknown;
  bpfRingTake(handle: unknown): Uint8Array;
  socketClose(handle: unknown): void;
  bpfMemory(fd: number, length: number): ArrayBuffer;
  bpfTestRun(
    fd: number,
    input: Uint8Array,
    repeat: number,
    ifindex: number,
  ): { readonly verdict: number; readonly output: Uint8Array; readonly nanosPerRun: number };
  bpfProgramInfo(id: number): { readonly name: string; readonly tag: string; readonly maps: readonly number[] };
  bpfTcAttach(ifindex: number, ingress: number, egress: number): void;
  bpfTcDetach(ifindex: number): void;
  bpfTcQuery(ifindex: number): { readonly ingress: number; readonly egress: number };
  bpfXdpQuery(ifindex: number): { readonly id: number; readonly native: boolean };
  /** Whether frames can be redirected out by the link. */
  bpfTakesRedirects(ifindex: number): boolean;
  /** Whether it is an end of a veth pair. */
  bpfIsVeth(ifindex: number): boolean;
  bpfLeaveTags(ifindex: number): boolean;
  /** `program` -1 takes the program away. */
  bpfXdpChange(ifindex: number, program: number, native: boolean, oldId: number): void;
}

/** One outcome, an errno, for each entry. */
type BpfManyCall = (
  fd: number,
  keyBytes: number,
  valueBytes: number,
  keys: Uint8Array,
  values: Uint8Array,
  outcomes: Uint8Array,
) => void;

export const bpfCalls = addon as BpfCalls;

/** Runs a call of the addon; what the kernel refuses is thrown as HalError. */
export function asHalError<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw wrapped(error);
  }
}

/** The same for a call that another thread carries out. */
export async function asHalErrorLater<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw wrapped(error);
  }
}

function wrapped(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return error;
  const text = error.message.trim();
  return new HalError(String(error.code), String(error.syscall), text, { cause: error });
}
