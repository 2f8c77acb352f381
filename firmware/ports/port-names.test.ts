import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ifindex, Ifname } from "@futago/hal/units/address.ts";
import { boxName, type FoundPort, namePorts, type NamedPlace, portNumber } from "./port-names.ts";

const port = (ifindex: number, ifname: string, place: string): FoundPort => ({
  ifindex: ifindex as Ifindex,
  ifname: ifname as Ifname,
  place,
});
const place = (name: string, where: string): NamedPlace => ({ name: name as Ifname, place: where });
const names = (of: ReturnType<typeof namePorts>) => of.ports.map(({ name, place: where }) => `${name} ${where}`);

describe("ports that nobody named yet", () => {
  it("are numbered by their places, not by the order in which the kernel found them", () => {
    const answer = namePorts(
      [port(2, "eth0", "pci/03.0"), port(3, "eth1", "pci/01.0"), port(4, "eth2", "pci/02.0")],
      [],
    );
    expect(names(answer)).toEqual(["port1 pci/01.0", "port2 pci/02.0", "port3 pci/03.0"]);
    expect(answer.remembered).toEqual([
      place("port1", "pci/01.0"),
      place("port2", "pci/02.0"),
      place("port3", "pci/03.0"),
    ]);
    expect(answer.renames).toEqual([
      { ifindex: 3, to: "port1" },
      { ifindex: 4, to: "port2" },
      { ifindex: 2, to: "port3" },
    ]);
  });

  it("are named on a machine of the same model as on the first one, whatever was found first", () => {
    const one = namePorts([port(2, "eth0", "pci/01.0"), port(3, "eth1", "pci/02.0")], []);
    const other = namePorts([port(7, "eth1", "pci/01.0"), port(9, "eth0", "pci/02.0")], []);
    expect(other.remembered).toEqual(one.remembered);
  });

  it("are told apart where a driver gives two of them one place", () => {
    expect(names(namePorts([port(4, "eth1", "pci/01.0"), port(3, "eth0", "pci/01.0")], []))).toEqual([
      "port1 pci/01.0",
      "port2 pci/01.0+1",
    ]);
  });

  it("do not take the name of a device that is no port", () => {
    expect(names(namePorts([port(2, "eth0", "pci/01.0")], [], new Set(["port1"])))).toEqual(["port2 pci/01.0"]);
  });
});

describe("ports that have names", () => {
  const known = [place("port1", "pci/02.0"), place("port2", "pci/03.0")];

  it("keep them when a card is added before them", () => {
    const answer = namePorts(
      [port(2, "eth0", "pci/01.0"), port(3, "eth1", "pci/02.0"), port(4, "eth2", "pci/03.0")],
      known,
    );
    expect(names(answer)).toEqual(["port1 pci/02.0", "port2 pci/03.0", "port3 pci/01.0"]);
    expect(answer.remembered).toEqual([...known, place("port3", "pci/01.0")]);
  });

  it("keep them while one of them is missing, whose name nobody else gets", () => {
    const answer = namePorts([port(2, "eth0", "pci/03.0"), port(3, "eth1", "pci/04.0")], known);
    expect(names(answer)).toEqual(["port2 pci/03.0", "port3 pci/04.0"]);
    expect(answer.missing).toEqual([place("port1", "pci/02.0")]);
    expect(answer.remembered).toEqual([...known, place("port3", "pci/04.0")]);
  });

  it("belong to the place: a card in another one's slot answers by that slot's name", () => {
    const before = namePorts([port(2, "eth0", "pci/02.0"), port(3, "eth1", "pci/03.0")], known);
    const swapped = namePorts([port(3, "eth1", "pci/02.0"), port(2, "eth0", "pci/03.0")], known);
    expect(before.ports.map(({ ifindex, name }) => [name, ifindex])).toEqual([
      ["port1", 2],
      ["port2", 3],
    ]);
    expect(swapped.ports.map(({ ifindex, name }) => [name, ifindex])).toEqual([
      ["port1", 3],
      ["port2", 2],
    ]);
  });

  it("are named anew on a machine that has none of the places", () => {
    const answer = namePorts([port(2, "eth0", "platform/a"), port(3, "eth1", "platform/b")], known);
    expect(answer.remembered).toEqual([place("port1", "platform/a"), place("port2", "platform/b")]);
    expect(answer.missing).toEqual([]);
  });

  it("are left alone where they have their names already", () => {
    expect(namePorts([port(2, "port1", "pci/02.0"), port(3, "port2", "pci/03.0")], known).renames).toEqual([]);
  });

  it("change names with each other by way of a third one", () => {
    expect(namePorts([port(2, "port2", "pci/02.0"), port(3, "port1", "pci/03.0")], known).renames).toEqual([
      { ifindex: 2, to: "aside2" },
      { ifindex: 3, to: "aside3" },
      { ifindex: 2, to: "port1" },
      { ifindex: 3, to: "port2" },
    ]);
  });
});

describe("whatever is found and remembered", () => {
  const slots = Array.from({ length: 12 }, (_, i) => i + 1);
  const some = fc.shuffledSubarray(slots, { maxLength: 8 });
  /** In slots, with names that ports have, each once. */
  const machine = fc
    .tuple(some, fc.shuffledSubarray(slots, { minLength: 12 }), fc.boolean())
    .map(([at, numbers, named]) =>
      at.map((slot, i) => port(i + 2, `${named ? "port" : "eth"}${numbers[i]}`, `pci/${slot}`)),
    );

  it("gives each port one name, takes none that is in use, and changes none that was given", () => {
    fc.assert(
      fc.property(machine, machine, (first, second) => {
        const before = namePorts(first, []).remembered;
        const after = namePorts(second, before);
        const isSameMachine = before.some((one) => second.some((each) => each.place === one.place));
        for (const { name, place: where } of isSameMachine ? after.ports : []) {
          const old = before.find((one) => one.place === where);
          expect(name).toBe(old?.name ?? name);
        }
        expect(new Set(after.ports.map(({ name }) => name)).size).toBe(second.length);
        const held = new Map(second.map(({ ifindex, ifname }) => [ifindex, ifname]));
        for (const { ifindex, to } of after.renames) {
          expect([...held.values()]).not.toContain(to);
          held.set(ifindex, to);
        }
        for (const { ifindex, name } of after.ports) expect(held.get(ifindex)).toBe(name);
      }),
    );
  });
});

it("knows its own names, and names the machine by the first port", () => {
  expect(["port1", "port12", "port0", "port01", "eth0", "sport1"].map(portNumber)).toEqual([
    1,
    12,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(boxName("52:54:00:AB:cd:0f")).toBe("futago-cd0f");
});
