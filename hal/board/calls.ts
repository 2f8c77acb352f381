/** The addon's functions that this room uses, typed. */
import { addon } from "../addon/load.ts";

/** 0 input, 1 output that starts low, 2 output that starts high. */
export type GpioMode = 0 | 1 | 2;

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
}

export const calls = addon as MachineCalls;
