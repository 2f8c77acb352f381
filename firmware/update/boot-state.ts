/**
 * Which of the two slots the box boots, as the boot loader and user space both read it: one sector that holds a GRUB
 * environment block, in two copies. Reads a copy exactly as GRUB does, so that the two cannot disagree; says what each
 * step makes of it. Writes nothing and finds no disk: runtime/update does.
 */
import { refuse, ok, type Result } from "@futago/hal/units/result.ts";

export type Slot = "a" | "b";

/** A bad slot is not tried. A trial slot has not been found good yet. */
export type SlotVerdict = "good" | "trial" | "bad";

export interface SlotState {
  readonly verdict: SlotVerdict;
  /** Boots that the loader will still try. */
  readonly tries: number;
}

export interface BootState {
  /** Grows with each write of user space; the loader leaves it alone. */
  readonly generation: number;
  /** The slot that the loader tries first. */
  readonly primary: Slot;
  readonly slots: Readonly<Record<Slot, SlotState>>;
}

/** Why a copy does not count. */
export type BootStateReason = "notABlock" | "notFutago" | "noEnd";

export const SECTOR_BYTES = 512;
/** GRUB takes its length from the file; the second sector is padding. */
export const BOOT_STATE_FILE_BYTES = 2 * SECTOR_BYTES;
export const BOOT_STATE_FILE_NAME = "futago.env";
export const GOOD_TRIES = 8;
export const TRIAL_TRIES = 3;
/** What is left to a slot that was good once and did not come up to being found good again: the last resort. */
export const LAST_TRIES = 3;
const GENERATION_MAX = 999_999_999;

const HEADER = "# GRUB Environment Block\n";
const PAD = "#".charCodeAt(0);

/** What the loader takes when no copy counts. */
export const defaultBootState: BootState = {
  generation: 0,
  primary: "a",
  slots: { a: { verdict: "good", tries: GOOD_TRIES }, b: { verdict: "good", tries: GOOD_TRIES } },
};

export function otherSlot(slot: Slot): Slot {
  return slot === "a" ? "b" : "a";
}

/** The first sector of the file. */
export function encodeBootState(state: BootState): Uint8Array {
  const { generation, primary, slots } = state;
  const lines = [
    "futago=1",
    `generation=${checked(generation, GENERATION_MAX)}`,
    `primary=${primary}`,
    ...(["a", "b"] as const).flatMap((slot) => [
      `${slot}_state=${slots[slot].verdict}`,
      `${slot}_tries=${checked(slots[slot].tries, GOOD_TRIES)}`,
    ]),
    "end=1",
  ];
  const sector = new Uint8Array(SECTOR_BYTES).fill(PAD);
  sector.set(new TextEncoder().encode(`${HEADER}${lines.join("\n")}\n`));
  return sector;
}

/** The whole file, as an image is born with it. */
export function encodeBootStateFile(state: BootState): Uint8Array {
  const file = new Uint8Array(BOOT_STATE_FILE_BYTES).fill(PAD);
  file.set(encodeBootState(state));
  return file;
}

function checked(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`a boot state cannot hold ${value}`);
  return value;
}

/**
 * Reads the block, whatever its length. What the loader would not look at twice is not refused: a state it does not know is
 * not bad, a number it cannot read is no try.
 */
export function decodeBootState(block: Uint8Array): Result<BootState, BootStateReason> {
  const variables = readVariables(block);
  if (variables === undefined) return refuse("notABlock");
  if (variables.get("futago") !== "1") return refuse("notFutago");
  if (variables.get("end") !== "1") return refuse("noEnd");
  const slot = (name: Slot): SlotState => ({
    verdict: verdictOf(variables.get(`${name}_state`)),
    tries: triesOf(variables.get(`${name}_tries`)),
  });
  return ok({
    generation: Math.min(numberOf(variables.get("generation")), GENERATION_MAX),
    primary: variables.get("primary") === "b" ? "b" : "a",
    slots: { a: slot("a"), b: slot("b") },
  });
}

function verdictOf(text: string | undefined): SlotVerdict {
  return text === "bad" || text === "trial" ? text : "good";
}

/** The loader knows the numbers up to its highest, which anything above them counts as. */
function triesOf(text: string | undefined): number {
  const number = numberOf(text);
  return number > GOOD_TRIES ? GOOD_TRIES : text === String(number) ? number : 0;
}

/** Digits count as far as they go, as in the loader's comparison. */
function numberOf(text: string | undefined): number {
  return Number(/^\d{1,12}/.exec(text ?? "")?.[0] ?? "0");
}

/**
 * The variables of an environment block; undefined when it has no header. As GRUB reads it: a line that begins with "#" is
 * padding, a name is everything up to the next "=", a value ends at a newline that no backslash precedes, and what has no
 * end does not count. The last one of a name wins.
 *
 * @see GRUB 2.12, grub-core/lib/envblk.c, grub_envblk_iterate
 */
export function readVariables(block: Uint8Array): ReadonlyMap<string, string> | undefined {
  const text = Array.from(block, (byte) => String.fromCharCode(byte)).join("");
  if (!text.startsWith(HEADER)) return undefined;
  const variables = new Map<string, string>();
  for (let at = HEADER.length; at < text.length; ) {
    if (text[at] !== "#") {
      const equals = text.indexOf("=", at);
      const end = equals < 0 ? -1 : endOfValue(text, equals + 1);
      if (end < 0) break;
      variables.set(text.slice(at, equals), text.slice(equals + 1, end).replaceAll(/\\([^])/g, "$1"));
      at = end;
    }
    const newline = text.indexOf("\n", at);
    at = newline < 0 ? text.length : newline + 1;
  }
  return variables;
}

function endOfValue(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\n") return at;
    if (text[at] === "\\") at++;
  }
  return -1;
}

/** The two copies as they were found; undefined is one that could not be read at all. */
export type Copies = readonly [bs0: Uint8Array | undefined, bs1: Uint8Array | undefined];

export interface ChosenBootState {
  readonly state: BootState;
  readonly from: "bs0" | "bs1" | "defaults";
  /** Both copies count and say the same. */
  readonly isWhole: boolean;
}

/** What the loader reads: the first copy that counts, never the one with the higher generation. */
export function chooseBootState([bs0, bs1]: Copies): ChosenBootState {
  const [first, second] = [bs0, bs1].map((block) => (block === undefined ? undefined : decodeBootState(block)));
  const isWhole = first?.ok === true && second?.ok === true && isSame(first.value, second.value);
  if (first?.ok === true) return { state: first.value, from: "bs0", isWhole };
  if (second?.ok === true) return { state: second.value, from: "bs1", isWhole };
  return { state: defaultBootState, from: "defaults", isWhole };
}

export function isSame(one: BootState, other: BootState): boolean {
  return equalBytesOf(encodeBootState(one), encodeBootState(other));
}

function equalBytesOf(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, i) => byte === other[i]);
}
