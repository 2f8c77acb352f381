/** The addon's functions that this room uses, typed. */
import { addon } from "../addon/load.ts";

/** 0 input, 1 output that starts low, 2 output that starts high, 3 input that tells of its edges. */
export type GpioMode = 0 | 1 | 2 | 3;

export interface DeviceHandle {
  readonly device: unique symbol;
}

export interface MachineCalls {
  machineNow(): number;
  machineClockKept(): 0 | 1;
  machineStepClock(millis: number): void;
  machineSetRealTime(priority: number): void;
  machineDieWithParent(signal: number): void;
  /** 1 when the open file took the lock, 0 when another holds it. */
  machineLock(fd: number): 0 | 1;
  /** The line's file descriptor, which the caller closes. */
  gpioRequest(chipFd: number, offset: number, mode: GpioMode): number;
  gpioGet(lineFd: number): number;
  gpioSet(lineFd: number, value: number): void;
  watchdogIdentity(fd: number): string;
  /** The timeout that the driver chose, in seconds. */
  watchdogSetTimeout(fd: number, seconds: number): number;
  /** What the chip's driver calls it. */
  gpioChipLabel(chipFd: number): string;
  /** Bytes as they come; undefined when the device is gone. From now on the descriptor is the handle's. */
  deviceWatch(fd: number, listener: (bytes: Uint8Array | undefined, code?: string) => void): DeviceHandle;
  socketClose(handle: DeviceHandle): void;
  /** 1 while the key is down. */
  inputKeyPressed(fd: number, code: number): number;
  /** One datagram, without waiting. */
  serviceNotify(address: string, text: string): void;
}

export const calls = addon as MachineCalls;
