/** The rest of the machine: time, scheduling, switches of the kernel, lights, lines and the watchdog. */
import type { Ifname } from "../units/address.ts";
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
  /** "nowayout": once started it goes on, whatever is written to it. */
  readonly neverStops: boolean;
  feed(): void;
  /** As many as the device takes, up to `seconds`. Returns what is in force. Throws HalError EINVAL for less than 1. */
  setTimeoutSeconds(seconds: number): number;
  /** Writes the magic close character, so that closing does not reset the machine, unless the driver was built or told "nowayout". */
  close(): void;
  /** Lets go of it while it counts on: whoever does not open and feed it in time lets the machine be reset. */
  leaveArmed(): void;
}

/** A key or a line that is listened to. */
export interface WatchedInput {
  /** When the listening began. */
  readonly level: boolean;
  close(): void;
}

/** True: pressed, or high. Undefined: the device is gone and says no more; it is closed then. */
export type InputListener = (level: boolean | undefined) => void;

/** What the machine says that it is. */
export interface BoardIdentity {
  /** Of /sys/class/dmi/id, such as sys_vendor and board_name; empty where there is none. */
  readonly dmi: Readonly<Record<string, string>>;
  /** Of the device tree, the most particular first. */
  readonly compatible: readonly string[];
}

export interface Board {
  identity(): BoardIdentity;
  /** The network device of a bus's device such as "0000:01:00.0"; undefined while there is none. */
  portAt(bus: string): Ifname | undefined;
  leds(): readonly Led[];
  /** A chip is its device, /dev/gpiochipN, or its label; lines by offset. By sysfs GPIO where there is no character device. */
  gpioInput(chip: string, offset: number): GpioLine;
  gpioOutput(chip: string, offset: number, initial: boolean): GpioLine;
  /** Listens to a line, by its edges or, where it raises no interrupt, by looking ten times a second. */
  watchLine(chip: string, offset: number, listener: InputListener): WatchedInput;
  /** Listens to a key of an input device by its name, in which * stands for anything. Undefined when there is none with that key. */
  watchKey(name: string, code: number, listener: InputListener): WatchedInput | undefined;
  /** Undefined when the machine has none. */
  openWatchdog(device?: string): Watchdog | undefined;
}
