import { describe, expect, it } from "vitest";
import { comparePlaces, placeOf } from "./place.ts";

const at = (path: string, devPort = 0, physPortName = "") => placeOf({ path, devPort, physPortName });

describe("the place of a port", () => {
  it.each([
    ["pci0000:00/0000:00:1c.0/0000:01:00.0", "pci0000:00/1c.0/00.0"],
    ["pci0000:00/0000:00:03.0/virtio1", "pci0000:00/03.0"],
    ["platform/fd580000.ethernet", "platform/fd580000.ethernet"],
    ["pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0", "pci0000:00/14.0/usb1/1-2/1-2:1.0"],
    ["pci10000:e0/10000:e0:06.0/10000:e1:00.0", "pci10000:e0/06.0/00.0"],
  ])("%s is %s", (path, place) => {
    expect(at(path)).toBe(place);
  });

  it("does not depend on how the kernel numbered the buses, which a card added elsewhere changes", () => {
    expect(at("pci0000:00/0000:00:1c.4/0000:03:00.0")).toBe(at("pci0000:00/0000:00:1c.4/0000:02:00.0"));
  });

  it("tells the ports of one device apart", () => {
    expect(at("pci0000:00/0000:00:02.0", 1)).toBe("pci0000:00/02.0#1");
    expect(at("platform/switch@0", 3, "p3")).toBe("platform/switch@0#p3");
  });
});

describe("the order of places", () => {
  const sorted = (...places: string[]) => places.toSorted(comparePlaces);

  it("is that of the board, in hexadecimal on PCI and by whole numbers elsewhere", () => {
    expect(sorted("pci0000:00/10.0", "pci0000:00/0a.0", "pci0000:00/09.0")).toEqual([
      "pci0000:00/09.0",
      "pci0000:00/0a.0",
      "pci0000:00/10.0",
    ]);
    expect(sorted("platform/sw#p10", "platform/sw#p9", "platform/sw")).toEqual([
      "platform/sw",
      "platform/sw#p9",
      "platform/sw#p10",
    ]);
  });

  it("puts what hangs on USB last, wherever its controller is", () => {
    const stick = "pci0000:00/14.0/usb1/1-2/1-2:1.0";
    expect(sorted(stick, "pci0000:00/1c.0/00.0", "platform/eth")).toEqual([
      "pci0000:00/1c.0/00.0",
      "platform/eth",
      stick,
    ]);
  });
});
