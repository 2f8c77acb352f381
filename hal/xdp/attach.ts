/** Puts an XDP program on a port without disturbing what is right already, and never somebody else's. */
import type { ForeignXdp, XdpMode } from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import type { Ifindex } from "../units/address.ts";
import { asHalError, bpfCalls } from "./calls.ts";

/** All of our programs are called so. */
const OURS = "futago_";
/** What another mode would meet just the same. */
const HOPELESS: readonly string[] = ["EBUSY", "EEXIST", "EPERM", "ENODEV", "EINTR", "ENOMEM"];

/**
 * Makes `program` run on the port and says in which mode. One that is the same in every instruction and map stays:
 * some drivers restart the port on every change.
 */
export function attachRoot(
  ifindex: Ifindex,
  program: { readonly id: number; readonly fd: number },
  mode: XdpMode | undefined,
  onNotNative: (refusal: HalError) => void = () => undefined,
): XdpMode {
  const there = asHalError(() => bpfCalls.bpfXdpQuery(ifindex));
  if (there.id !== 0 && !isOurs(there.id)) {
    throw new HalError("EBUSY", "RTM_SETLINK", `link ${ifindex} runs somebody else's XDP program ${there.id}`);
  }
  const mode0: XdpMode = there.native ? "native" : "generic";
  if (there.id !== 0 && isSame(there.id, program.id) && (mode ?? mode0) === mode0) return mode0;
  if (mode !== undefined) return change(ifindex, program.fd, mode, there);
  try {
    return change(ifindex, program.fd, "native", there);
  } catch (error) {
    if (!(error instanceof HalError) || HOPELESS.includes(error.code)) throw error;
    onNotNative(error);
    return change(
      ifindex,
      program.fd,
      "generic",
      asHalError(() => bpfCalls.bpfXdpQuery(ifindex)),
    );
  }
}

export function foreignOn(ifindex: Ifindex): ForeignXdp | undefined {
  const { id } = asHalError(() => bpfCalls.bpfXdpQuery(ifindex));
  if (id === 0) return undefined;
  const { name } = asHalError(() => bpfCalls.bpfProgramInfo(id));
  return name.startsWith(OURS) ? undefined : { id, name };
}

/** Takes our program away, if there is one, and a link. */
export function detachOurs(ifindex: Ifindex): void {
  try {
    const there = asHalError(() => bpfCalls.bpfXdpQuery(ifindex));
    if (there.id !== 0 && isOurs(there.id))
      asHalError(() => bpfCalls.bpfXdpChange(ifindex, -1, there.native, there.id));
  } catch (error) {
    // A link that is gone took its program with it.
    if (!(error instanceof HalError) || error.code !== "ENODEV") throw error;
  }
}

function change(
  ifindex: Ifindex,
  fd: number,
  mode: XdpMode,
  there: { readonly id: number; readonly native: boolean },
): XdpMode {
  const native = mode === "native";
  // A program cannot be replaced by one in the other mode.
  const sameMode = there.id !== 0 && there.native === native;
  if (there.id !== 0 && !sameMode) asHalError(() => bpfCalls.bpfXdpChange(ifindex, -1, there.native, there.id));
  asHalError(() => bpfCalls.bpfXdpChange(ifindex, fd, native, sameMode ? there.id : 0));
  return mode;
}

function isOurs(id: number): boolean {
  return asHalError(() => bpfCalls.bpfProgramInfo(id)).name.startsWith(OURS);
}

function isSame(one: number, other: number): boolean {
  const a = asHalError(() => bpfCalls.bpfProgramInfo(one));
  const b = asHalError(() => bpfCalls.bpfProgramInfo(other));
  return a.name === b.name && a.tag === b.tag && a.maps.join() === b.maps.join();
}
