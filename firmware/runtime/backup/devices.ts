/** Network devices in a document that comes from another box, and their names on this one. Pure. */
import type { Box } from "../messages.ts";

/** From the name in the document to the one on this box. */
export type DeviceMap = ReadonlyMap<string, string>;

/** What a box of this letter is asked for by the document, in its order. The document may be anything. */
export function devicesNamed(document: unknown, letter: Box | undefined): readonly string[] {
  return interfacesOf(document).flatMap((each) => deviceOf(each, letter) ?? []);
}

/** The document with other names for the devices of this box; the other box of the pair keeps its own. */
export function withDevices(document: unknown, letter: Box | undefined, map: DeviceMap): unknown {
  if (map.size === 0) return document;
  const interfaces = interfacesOf(document).map((each) => {
    const device = deviceOf(each, letter);
    const other = device === undefined ? undefined : map.get(device);
    return other === undefined ? each : { ...each, device: renamed(each["device"], letter, other) };
  });
  return { ...(document as object), interfaces };
}

type Interface = Readonly<Record<string, unknown>>;

function interfacesOf(document: unknown): readonly Interface[] {
  if (!isObject(document) || !Array.isArray(document["interfaces"])) return [];
  return document["interfaces"].filter(isObject);
}

function deviceOf({ device }: Interface, letter: Box | undefined): string | undefined {
  const own = isObject(device) && letter !== undefined ? device[letter] : device;
  return typeof own === "string" ? own : undefined;
}

function renamed(device: unknown, letter: Box | undefined, other: string): unknown {
  if (letter === undefined) return other;
  const both = isObject(device) ? device : { a: device, b: device };
  const now = { ...both, [letter]: other };
  return now["a"] === now["b"] ? other : now;
}

function isObject(value: unknown): value is Interface {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
