/**
 * The names of a machine's Ethernet ports. A port is named once, by its place, and the name stays with the place: what is
 * added later is numbered behind all that ever were, and what is missing keeps its number. It reads no machine and renames
 * nothing.
 */
import type { Ifindex, Ifname } from "@futago/hal/units/address.ts";
import { comparePlaces } from "./place.ts";

/** A port that is there. */
export interface FoundPort {
  readonly ifindex: Ifindex;
  readonly ifname: Ifname;
  readonly place: string;
}

/** A name that was given to a place. */
export interface NamedPlace {
  readonly name: Ifname;
  readonly place: string;
}

export interface PortNames {
  /** In the order of their numbers. */
  readonly ports: readonly (FoundPort & { readonly name: Ifname })[];
  /** To be remembered, with what is missing now. */
  readonly remembered: readonly NamedPlace[];
  /** Remembered, and not there. */
  readonly missing: readonly NamedPlace[];
  /** In this order; each name is free when it comes to it. */
  readonly renames: readonly { readonly ifindex: Ifindex; readonly to: Ifname }[];
}

const NAME = /^port([1-9]\d{0,3})$/;

/** The number in a name; undefined for a name that is not given here. */
export function portNumber(name: string): number | undefined {
  const number = NAME.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

/**
 * `remembered` is what the last call answered. Where none of its places is there, the disk has come to another machine,
 * and all are named anew. `taken` are names of other devices, which no port gets.
 */
export function namePorts(
  found: readonly FoundPort[],
  remembered: readonly NamedPlace[],
  taken: ReadonlySet<string> = new Set(),
): PortNames {
  const present = seated(found);
  const isOwn = remembered.some(({ place }) => present.some((port) => port.place === place));
  const known = isOwn ? remembered : [];
  const byPlace = new Map(known.map(({ place, name }) => [place, name]));
  let last = Math.max(0, ...known.map(({ name }) => portNumber(name) ?? 0));
  const next = (): Ifname => {
    do last += 1;
    while (taken.has(`port${last}`));
    return `port${last}` as Ifname;
  };
  const added: NamedPlace[] = [];
  for (const { place } of present) {
    if (byPlace.has(place)) continue;
    const name = next();
    byPlace.set(place, name);
    added.push({ name, place });
  }
  const ports = present
    .map((port) => ({ ...port, name: byPlace.get(port.place) ?? port.ifname }))
    .toSorted((a, b) => (portNumber(a.name) ?? 0) - (portNumber(b.name) ?? 0));
  return {
    ports,
    remembered: [...known, ...added],
    missing: known.filter(({ place }) => !present.some((port) => port.place === place)),
    renames: renamesOf(ports),
  };
}

/** By their places. Where two have one, a driver tells them apart in no way: then the kernel's order does. */
function seated(found: readonly FoundPort[]): readonly FoundPort[] {
  const sorted = found.toSorted((a, b) => comparePlaces(a.place, b.place) || a.ifindex - b.ifindex);
  const seen = new Map<string, number>();
  return sorted.map((port) => {
    const before = seen.get(port.place) ?? 0;
    seen.set(port.place, before + 1);
    return before === 0 ? port : { ...port, place: `${port.place}+${before}` };
  });
}

/** A port whose name another one has yet steps aside first. */
function renamesOf(ports: PortNames["ports"]): PortNames["renames"] {
  const wrong = ports.filter(({ ifname, name }) => ifname !== name);
  const wanted = new Set(wrong.map(({ name }) => name));
  const aside = wrong.filter(({ ifname }) => wanted.has(ifname));
  return [
    ...aside.map(({ ifindex }) => ({ ifindex, to: `aside${ifindex}` as Ifname })),
    ...wrong.map(({ ifindex, name }) => ({ ifindex, to: name })),
  ];
}

/** The name of the whole machine before it has one of its own: by the Ethernet address of its first port. */
export function boxName(mac: string): string {
  return `futago-${mac.replaceAll(":", "").slice(-4).toLowerCase()}`;
}
