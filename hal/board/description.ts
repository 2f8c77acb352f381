/** Reads a board's description, which is JSON, and says of a wrong one what is wrong where. Knows every key there is. */
import type { BoardDescription, ButtonPlace, LightName, LightPlace, LinePlace, LinkPlace } from "../contract/board.ts";
import type { BoardIdentity } from "../contract/machine.ts";
import { patternOf } from "./key.ts";
import { KEY_CODES } from "./key-codes.ts";

export interface ReadDescription {
  readonly description: BoardDescription;
  readonly fits: (identity: BoardIdentity) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const LIGHTS: readonly LightName[] = ["role", "peer", "alarm", "locate"];
const SECONDS_MIN = 5;
const SECONDS_MAX = 600;
/** Kernel headers stop far below. */
const LINES_MAX = 1_024;
const KEY_CODES_MAX = 0x2ff;

/** Throws DescriptionError, which names every fault at once. */
export function readDescription(value: unknown): ReadDescription {
  const reader = new Reader();
  const root = reader.fields(value, "", ["name", "match", "watchdog", "lights", "links", "button"]);
  const description: BoardDescription = {
    name: reader.text(root["name"], "name"),
    watchdog: root["watchdog"] === undefined ? undefined : readWatchdog(reader, root["watchdog"]),
    lights: readLights(reader, root["lights"]),
    links: reader.list(root["links"] ?? [], "links").map((link, i) => readLink(reader, link, `links.${i}`)),
    button: root["button"] === undefined ? undefined : readButton(reader, root["button"]),
  };
  const fits = readMatch(reader, root["match"]);
  if (reader.faults.length > 0) throw new DescriptionError(reader.faults);
  return { description, fits };
}

export class DescriptionError extends Error {
  override readonly name = "DescriptionError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("; "));
    this.faults = faults;
  }
}

function readWatchdog(reader: Reader, value: unknown): BoardDescription["watchdog"] {
  const { device, seconds } = reader.fields(value, "watchdog", ["device", "seconds"]);
  return {
    device: reader.text(device, "watchdog.device", /^watchdog\d*$/, 'a device of /dev such as "watchdog0"'),
    seconds: reader.number(seconds, "watchdog.seconds", SECONDS_MIN, SECONDS_MAX),
  };
}

function readLights(reader: Reader, value: unknown): BoardDescription["lights"] {
  const lights = reader.fields(value ?? {}, "lights", LIGHTS);
  return Object.fromEntries(
    Object.entries(lights).map(([name, one]) => [name, readLight(reader, one, `lights.${name}`)]),
  );
}

function readLight(reader: Reader, value: unknown, at: string): LightPlace {
  const fields = reader.fields(value, at, ["led", "gpio", "line", "activeLow"]);
  if (fields["led"] === undefined) return readLine(reader, fields, at);
  reader.only(fields, at, ["led"]);
  return { kind: "led", name: reader.text(fields["led"], `${at}.led`) };
}

function readLine(reader: Reader, fields: Fields, at: string): LinePlace {
  const { gpio, line, activeLow = false } = fields;
  return {
    kind: "gpio",
    chip: reader.text(gpio, `${at}.gpio`, /^[\w:.-]+$/, "the label or the device of a GPIO chip"),
    line: reader.number(line, `${at}.line`, 0, LINES_MAX),
    activeLow: reader.flag(activeLow, `${at}.activeLow`),
  };
}

function readLink(reader: Reader, value: unknown, at: string): LinkPlace {
  const { led, bus, device } = reader.fields(value, at, ["led", "bus", "device"]);
  if ((bus === undefined) === (device === undefined)) reader.fault(at, 'needs either "bus" or "device"');
  const port =
    bus === undefined ? { device: reader.text(device, `${at}.device`) } : { bus: reader.text(bus, `${at}.bus`) };
  return { led: reader.text(led, `${at}.led`), port };
}

function readButton(reader: Reader, value: unknown): ButtonPlace {
  const fields = reader.fields(value, "button", ["input", "key", "gpio", "line", "activeLow"]);
  if (fields["gpio"] !== undefined) {
    reader.only(fields, "button", ["gpio", "line", "activeLow"]);
    return readLine(reader, fields, "button");
  }
  reader.only(fields, "button", ["input", "key"]);
  return { kind: "key", inputs: reader.texts(fields["input"], "button.input"), code: readKey(reader, fields["key"]) };
}

function readKey(reader: Reader, key: unknown): number {
  if (typeof key === "number") return reader.number(key, "button.key", 1, KEY_CODES_MAX);
  const code = KEY_CODES[reader.text(key, "button.key")];
  if (code === undefined) {
    const known = Object.keys(KEY_CODES).join(", ");
    reader.fault("button.key", `is neither one of ${known} nor the number of a key in linux/input-event-codes.h`);
  }
  return code ?? 0;
}

function readMatch(reader: Reader, value: unknown): (identity: BoardIdentity) => boolean {
  if (value === "any machine") return () => true;
  // One that a person gives by hand fits whatever it is given to.
  if (value === undefined) return () => false;
  const { dmi, compatible } = reader.fields(value, "match", ["dmi", "compatible"]);
  if ((dmi === undefined) === (compatible === undefined)) {
    reader.fault("match", 'needs either "dmi" or "compatible"');
    return () => false;
  }
  if (compatible !== undefined) {
    const words = reader.texts(compatible, "match.compatible");
    return (identity) => identity.compatible.some((word) => words.includes(word));
  }
  const wanted = Object.entries(reader.fields(dmi, "match.dmi")).map(
    ([name, one]) => [name, reader.texts(one, `match.dmi.${name}`).map(patternOf)] as const,
  );
  return ({ dmi: found }) =>
    wanted.every(([name, patterns]) => patterns.some((pattern) => pattern.test(found[name] ?? "")));
}

/** Goes on after a fault, so that a person mends a file once. */
class Reader {
  readonly faults: string[] = [];

  fault(at: string, what: string): void {
    this.faults.push(at === "" ? `the description ${what}` : `${at} ${what}`);
  }

  /** Without `names` any key may be there. */
  fields(value: unknown, at: string, names?: readonly string[]): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.fault(at, "is not an object");
      return {};
    }
    if (names !== undefined) this.only(value as Fields, at, names);
    return value as Fields;
  }

  only(fields: Fields, at: string, names: readonly string[]): void {
    const strange = Object.keys(fields).filter((name) => !names.includes(name));
    if (strange.length > 0) this.fault(at, `has ${strange.join(", ")}, but may have only ${names.join(", ")}`);
  }

  text(value: unknown, at: string, pattern = /./, what = "a text"): string {
    if (typeof value === "string" && pattern.test(value)) return value;
    this.fault(at, value === undefined ? "is missing" : `is not ${what}`);
    return "";
  }

  texts(value: unknown, at: string): readonly string[] {
    const all = Array.isArray(value) ? (value as readonly unknown[]) : [value];
    return all.map((one) => this.text(one, at));
  }

  list(value: unknown, at: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    this.fault(at, "is not a list");
    return [];
  }

  number(value: unknown, at: string, least: number, most: number): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    this.fault(at, value === undefined ? "is missing" : `is not a whole number from ${least} to ${most}`);
    return least;
  }

  flag(value: unknown, at: string): boolean {
    if (typeof value === "boolean") return value;
    this.fault(at, "is neither true nor false");
    return false;
  }
}
