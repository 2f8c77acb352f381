/** The rest of the machine: time, scheduling, switches of the kernel, lights, lines and the watchdog. */
import type { Instant } from "../units/time.ts";

export interface Clock {
  /** CLOCK_BOOTTIME. */
  now(): Instant;
}

/** CLOCK_REALTIME: one for the whole machine, whatever namespace a process is in. */
export interface WallClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Somebody, such as an NTP client, tells the kernel that it keeps the clock right. */
  isKept(): boolean;
  /**
   * Sets it ahead by so many milliseconds, or back. Throws HalError: EPERM without CAP_SYS_TIME, EINVAL for a time
   * before the machine was started, as if that had been in 1970.
   */
  step(millis: number): void;
}

export interface Scheduling {
  /** Puts the calling thread at SCHED_FIFO with the given priority, 1 to 99. Throws HalError EPERM where that is not allowed. */
  setRealTime(priority: number): void;
  /** Asks for a signal when the parent process dies (prctl PR_SET_PDEATHSIG). */
  dieWithParent(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface Sysctl {
  /** Reads /proc/sys/…, such as "net.ipv4.ip_forward"; a dot inside an interface name is written as a slash, as in sysctl(8). */
  read(name: string): string;
  write(name: string, value: string): void;
}

export interface Led {
  readonly name: string;
  set(on: boolean): void;
  blink(onMillis: number, offMillis: number): void;
  /** Lets the kernel drive the LED from a link's carrier (the netdev trigger). */
  followLink(ifname: string): void;
}

export interface GpioLine {
  get(): boolean;
  set(value: boolean): void;
  close(): void;
}

export interface Watchdog {
  readonly identity: string;
  feed(): void;
  setTimeoutSeconds(seconds: number): void;
  /** Writes the magic close character, so that closing does not reset the machine, unless the driver was built or told "nowayout". */
  close(): void;
}

export interface Board {
  leds(): readonly Led[];
  /** A line of /dev/gpiochipN by offset, or of sysfs GPIO where there is no character device. */
  gpioInput(chip: string, offset: number): GpioLine;
  gpioOutput(chip: string, offset: number, initial: boolean): GpioLine;
  /** Undefined when the machine has none. */
  openWatchdog(device?: string): Watchdog | undefined;
}
