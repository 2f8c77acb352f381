/**
 * The machine refused: a netlink errno, a lost device, a missing kernel feature. Thrown by hal and caught at the
 * few places of `firmware/runtime` that carry out actions.
 */
export class HalError extends Error {
  /** The errno's name, such as "EPERM" or "ENODEV", or "ENOTSUP" for a kernel feature that is missing. */
  readonly code: string;
  /** What was asked of the kernel, such as "RTM_NEWADDR" or "bpf(BPF_PROG_LOAD)". */
  readonly syscall: string;

  constructor(code: string, syscall: string, message: string, options?: ErrorOptions) {
    super(`${syscall}: ${message} (${code})`, options);
    this.name = "HalError";
    this.code = code;
    this.syscall = syscall;
  }
}
