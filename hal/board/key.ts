/** Keys of input devices (evdev): /dev/input/eventN, found by the name that the kernel shows and the keys that it lists. */
import { closeSync, constants, existsSync, openSync, readdirSync } from "node:fs";
import { refused } from "../addon/refused.ts";
import type { InputListener, WatchedInput } from "../contract/machine.ts";
import { readAttribute } from "./attribute.ts";
import type { BoardRoots } from "./board.ts";
import { calls } from "./calls.ts";

/** struct input_event of linux/input.h on 64 bits: two times of 8 bytes, type, code, value. */
const EVENT_BYTES = 24;
const EV_SYN = 0;
const EV_KEY = 1;
const SYN_DROPPED = 3;
/** The value of a key that is held and repeats by itself. */
const REPEATED = 2;

/** The first device whose name fits and that has the key. Undefined when there is none. */
export function watchKey(
  roots: Required<BoardRoots>,
  name: string,
  code: number,
  listener: InputListener,
): WatchedInput | undefined {
  const device = findDevice(roots.sysRoot, name, code);
  return device === undefined ? undefined : listen(`${roots.devRoot}/input/${device}`, code, listener);
}

function findDevice(sysRoot: string, name: string, code: number): string | undefined {
  const directory = `${sysRoot}/class/input`;
  if (!existsSync(directory)) return undefined;
  const fits = patternOf(name);
  return readdirSync(directory)
    .filter((entry) => /^event\d+$/.test(entry))
    .toSorted((one, other) => Number(one.slice(5)) - Number(other.slice(5)))
    .find((entry) => {
      const device = `${directory}/${entry}/device`;
      return fits.test(readAttribute(`${device}/name`)) && hasKey(readAttribute(`${device}/capabilities/key`), code);
    });
}

/** A name in which * stands for anything. */
export function patternOf(name: string): RegExp {
  const parts = name.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

/** The kernel prints the bits as words of 64 in hexadecimal, the highest first. */
function hasKey(words: string, code: number): boolean {
  const word = words.trim().split(/\s+/).toReversed()[Math.floor(code / 64)];
  return word !== undefined && ((BigInt(`0x${word}`) >> BigInt(code % 64)) & 1n) === 1n;
}

function listen(path: string, code: number, listener: InputListener): WatchedInput {
  const what = `cannot listen to ${path}`;
  const fd = refused(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), what);
  const isPressed = () => calls.inputKeyPressed(fd, code) === 1;
  let level: boolean;
  try {
    level = refused(isPressed, what);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let told = level;
  const tell = (pressed: boolean) => {
    if (pressed === told) return;
    told = pressed;
    listener(pressed);
  };
  const handle = refused(
    () =>
      calls.deviceWatch(fd, (bytes) => {
        if (bytes === undefined) {
          calls.socketClose(handle);
          return listener(undefined);
        }
        for (const event of eventsOf(bytes)) {
          // Events were lost: what counts is what is pressed.
          if (event.type === EV_SYN && event.code === SYN_DROPPED) tell(isPressed());
          else if (event.type === EV_KEY && event.code === code && event.value !== REPEATED) tell(event.value === 1);
        }
      }),
    what,
  );
  return { level, close: () => calls.socketClose(handle) };
}

interface InputEvent {
  readonly type: number;
  readonly code: number;
  readonly value: number;
}

/** The kernel hands out whole events only. */
function eventsOf(bytes: Uint8Array): readonly InputEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / EVENT_BYTES) }, (_, i) => {
    const at = i * EVENT_BYTES + 16;
    return {
      type: view.getUint16(at, true),
      code: view.getUint16(at + 2, true),
      value: view.getInt32(at + 4, true),
    };
  });
}
