import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { Appliance } from "./appliance.ts";

let root: string;
let network: FakeNetwork;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "futago-appliance-"));
  for (const name of ["sys/class/net", "sys/devices", "proc/sys/kernel", "run/futago", "data/system", "data/futago"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  write("proc/cmdline", "quiet\n");
  write("proc/sys/kernel/hostname", "debian\n");
  network = new FakeNetwork();
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(root, name), text);
const read = (name: string) => readFileSync(join(root, name), "utf8").trim();
const has = (name: string) => existsSync(join(root, name));
const roots = () => ({ sys: join(root, "sys"), proc: join(root, "proc"), run: join(root, "run") });
const appliance = (runDirectory: string | undefined = join(root, "run/futago")) =>
  new Appliance({ systemDirectory: join(root, "data/system"), runDirectory, roots: roots(), network });

/** A port of the machine in the slot, in sysfs and for the kernel. */
function port(ifname: string, slot: string, files: Readonly<Record<string, string>> = {}): void {
  const device = `sys/devices/pci0000:00/0000:00:${slot}`;
  mkdirSync(join(root, device), { recursive: true });
  link(ifname, { type: "1\n", ...files });
  symlinkSync(join(root, device), join(root, "sys/class/net", ifname, "device"));
}

function link(ifname: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(root, "sys/class/net", ifname));
  for (const [name, text] of Object.entries(files)) write(`sys/class/net/${ifname}/${name}`, text);
  network.plug(ifname as Ifname);
}

/** As the kernel shows the links that were renamed. */
async function renamedInSysfs(): Promise<readonly string[]> {
  return (await network.links()).map(({ ifname }) => ifname);
}

describe("the ports of a box", () => {
  it("get names by their places, and the box one by the first port", async () => {
    link("lo", { type: "772\n" });
    port("eth0", "03.0");
    port("eth1", "02.0");
    link("br0", { type: "1\n" });
    await appliance().namePorts();
    expect(await renamedInSysfs()).toEqual(["lo", "port2", "port1", "br0"]);
    expect(JSON.parse(read("data/system/ports.json"))).toEqual({
      ports: [
        { name: "port1", place: "pci0000:00/02.0" },
        { name: "port2", place: "pci0000:00/03.0" },
      ],
    });
    expect(read("proc/sys/kernel/hostname")).toMatch(/^futago-[0-9a-f]{4}$/);
    expect(read("run/futago/last-port.network")).toContain("Name=port2\n");
    expect(read("run/futago/last-port.network")).toContain("Address=192.168.127.1/24\n");
  });

  it("are no radio, no part of a switch's own cable and no virtual function", async () => {
    port("eth0", "02.0");
    for (const [name, slot, what] of [
      ["wlan0", "03.0", "phy80211"],
      ["eth1", "04.0", "dsa"],
      ["eth2", "05.0", "device/physfn"],
    ] as const) {
      port(name, slot);
      mkdirSync(join(root, "sys/class/net", name, what), { recursive: true });
    }
    await appliance().namePorts();
    expect(await renamedInSysfs()).toEqual(["port1", "wlan0", "eth1", "eth2"]);
  });

  it("keep what was remembered, and are named anew where that is damaged or forgotten", async () => {
    port("eth0", "02.0");
    write("data/system/ports.json", `{"ports":[{"name":"port4","place":"pci0000:00/02.0"}]}`);
    await appliance().namePorts();
    expect(await renamedInSysfs()).toEqual(["port4"]);
    mkdirSync(join(root, "sys/class/net/port4"));
    symlinkSync(join(root, "sys/devices/pci0000:00/0000:00:02.0"), join(root, "sys/class/net/port4/device"));
    write("sys/class/net/port4/type", "1\n");
    mkdirSync(join(root, "data/system/ssh"));
    write("data/system/ssh/authorized_keys", "ssh-ed25519 AAAA\n");
    await appliance().forget();
    expect(has("data/system/ssh/authorized_keys")).toBe(false);
    expect(read("data/system/ports.json")).toContain(`"port1"`);
  });

  it.each(["", "[]", `{"ports":[{"name":"eth9","place":"pci0000:00/02.0"}]}`, `{"ports":[{}]}`])(
    "are named as on a new box where %j is remembered",
    async (text) => {
      port("eth0", "02.0");
      write("data/system/ports.json", text);
      await appliance().namePorts();
      expect(await renamedInSysfs()).toEqual(["port1"]);
    },
  );
});

describe("what was chosen at the boot menu", () => {
  it("is ordered once, however often the box starts again", () => {
    write("proc/cmdline", "futago.request=factory-reset\n");
    appliance().takeRequest(join(root, "data/futago"));
    expect(has("data/futago/factory-reset")).toBe(true);
    expect(read("run/futago/request")).toBe("factory-reset");
    rmSync(join(root, "data/futago/factory-reset"));
    appliance().takeRequest(join(root, "data/futago"));
    expect(has("data/futago/factory-reset")).toBe(false);
  });

  it("is left for the console where it is about a password", () => {
    write("proc/cmdline", "futago.request=reset-password\n");
    appliance().takeRequest(join(root, "data/futago"));
    expect([has("data/futago/factory-reset"), read("run/futago/request")]).toEqual([false, "reset-password"]);
  });

  it("is nothing most of the time", () => {
    appliance().takeRequest(join(root, "data/futago"));
    expect(has("run/futago/request")).toBe(false);
  });
});

describe("who owns the ports", () => {
  it("is one of two files, and the name of the box is that of the configuration", async () => {
    port("eth0", "02.0");
    const one = appliance();
    await one.namePorts();
    const bare = read("proc/sys/kernel/hostname");
    one.setOwner(undefined);
    expect([has("run/futago/bare"), has("run/futago/configured")]).toEqual([true, false]);
    one.setOwner("edge-a");
    expect([has("run/futago/bare"), has("run/futago/configured")]).toEqual([false, true]);
    expect(read("proc/sys/kernel/hostname")).toBe("edge-a");
    one.setOwner("");
    expect(read("proc/sys/kernel/hostname")).toBe(bare);
    one.setOwner(undefined);
    expect([has("run/futago/bare"), has("run/futago/configured")]).toEqual([true, false]);
  });

  it("is told nobody where there is no directory for it", () => {
    const one = new Appliance({
      systemDirectory: join(root, "data/system"),
      runDirectory: undefined,
      roots: roots(),
      network,
    });
    one.setOwner(undefined);
    expect([has("run/futago/bare"), has("run/futago/configured")]).toEqual([false, false]);
  });
});
