/**
 * What a message may look like, field by field: for messages with kinds that come as JSON and are hostile until each
 * field was checked for type and bound. Pure; the decoder never throws.
 */
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";

export type ShapeRefusal = "notAnObject" | "unknownKind" | "unknownField" | "badField";
export type Check = (value: unknown) => boolean;
/** Of each field; `kind` is checked by whoever has kinds. */
export type Shape<T> = Readonly<Record<Exclude<keyof T, "kind">, Check>>;
/** Of each kind of message. */
export type Shapes<Message extends { readonly kind: string }> = {
  readonly [Kind in Message["kind"]]: Shape<Extract<Message, { readonly kind: Kind }>>;
};

type Raw = Readonly<Record<string, unknown>>;

export function decodeShaped<Message extends { readonly kind: string }>(
  json: string,
  shapes: Shapes<Message>,
): Result<Message, ShapeRefusal> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // There is no way to ask first whether a text is JSON.
    return refuse("notAnObject");
  }
  if (!isObject(value)) return refuse("notAnObject");
  const kind = value["kind"];
  if (typeof kind !== "string" || !Object.hasOwn(shapes, kind)) return refuse("unknownKind");
  const shape: Readonly<Record<string, Check>> = shapes[kind as Message["kind"]];
  if (!Object.keys(value).every((key) => key === "kind" || Object.hasOwn(shape, key))) return refuse("unknownField");
  // Each field that the kind has was checked.
  return fits(value, shape) ? ok(value as unknown as Message) : refuse("badField");
}

function isObject(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fits(value: Raw, shape: Readonly<Record<string, Check>>): boolean {
  return Object.entries(shape).every(([key, check]) => check(value[key]));
}

/** An object that has these fields and no other, and this kind if one is given. */
export function object<T>(shape: Shape<T>, kind?: string): Check {
  return (value) =>
    isObject(value) &&
    value["kind"] === kind &&
    Object.keys(value).every((key) => (key === "kind" && kind !== undefined) || Object.hasOwn(shape, key)) &&
    fits(value, shape);
}

/** An object with any names, so many at most, and values of one sort. */
export function record(entriesMax: number, nameLengthMax: number, check: Check): Check {
  return (value) =>
    isObject(value) &&
    Object.keys(value).length <= entriesMax &&
    Object.entries(value).every(([name, one]) => name.length <= nameLengthMax && check(one));
}

export function text(lengthMax: number): Check {
  return (value) => typeof value === "string" && value.length <= lengthMax;
}

export function oneOf(...words: readonly unknown[]): Check {
  return (value) => words.includes(value);
}

export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function either(...checks: readonly Check[]): Check {
  return (value) => checks.some((check) => check(value));
}

export function list(itemsMax: number, check: Check): Check {
  return (value) => Array.isArray(value) && value.length <= itemsMax && value.every(check);
}

export function whole(min: number, max: number): Check {
  return (value) => typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

export const nothing: Check = (value) => value === null;
export const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
export const flag: Check = (value) => typeof value === "boolean";
/** Of a revision: SHA-256 in hexadecimal. */
export const id: Check = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
/** RFC 3339 as every moment is written. */
export const time: Check = (value) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
