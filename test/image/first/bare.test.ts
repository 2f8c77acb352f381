/**
 * A box out of its carton, as somebody with a cable meets it: by DHCP, by the fixed address of the last port, by the
 * console; then configured, and reset again. Needs images/build/futago-amd64.img.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Namespace } from "../../netns/namespaces.ts";
import { Cabling } from "../appliance/cabling.ts";
import { imageFile } from "../appliance/image.ts";
import { Machine } from "../appliance/machine.ts";

const START_MILLIS = 300_000;
const KEY_MILLIS = 60_000;
const SOON = { timeout: 120_000, interval: 500 };
const BARE = "192.168.127.1";
const PASSWORD = "four words do well";
const ENTER = "\r";

const CONFIGURATION = {
  system: { hostname: "edge" },
  interfaces: [
    { name: "wan", device: "port1", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "port2", addresses: ["10.2.0.2/24"] },
  ],
};

describe("a box out of its carton", () => {
  let cabling: Cabling;
  let box: Machine;
  let laptop: Namespace;
  let other: Namespace;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "futago-bare-"));
    cabling = await Cabling.start(["wan", "lan"]);
    box = new Machine({
      name: "box",
      directory,
      image: imageFile(),
      host: cabling.switches,
      cables: await cabling.cables("box", ["wan", "lan"]),
      cpus: 2,
    });
    laptop = await cabling.host("laptop", "lan", "192.168.127.2/24");
    await laptop.ip("addr add 10.2.0.9/24 dev eth0");
    other = await cabling.host("other", "lan", "192.168.127.3/24");
    await box.start();
  }, START_MILLIS);

  afterAll(async () => {
    await box.cut();
    await cabling.destroy();
    rmSync(directory, { recursive: true });
  });

  const answer = async (address: string, path: string) => {
    const { stdout } = await laptop.tryRun(["curl", "-sk", "-m", "5", `https://${address}${path}`]);
    return stdout;
  };
  const type = async (keys: string, seen: RegExp | string) => {
    box.serial.skip();
    box.serial.send(keys);
    return await box.serial.expect(seen, KEY_MILLIS);
  };

  test(
    "says on its console what it is, where its pages are, and the code that claims it",
    async () => {
      const [, name] = await box.serial.expect(/(futago-[0-9a-f]{4}) +Futago \S+ +slot A/, START_MILLIS);
      expect(name).toBe("futago-0001");
      await box.serial.expect(`https://${BARE}/`, START_MILLIS);
      await box.serial.expect(`https://${name}.local/`, KEY_MILLIS);
      await box.serial.expect(/SHA-256 +([0-9A-F]{2}:){15}/, KEY_MILLIS);
      await box.serial.expect("Press Enter for the menu.", KEY_MILLIS);
    },
    2 * START_MILLIS,
  );

  test(
    "is claimed over the fixed address of its last port, with the code of the console",
    async () => {
      const code = /Claim code +([0-9A-Z]{5}-[0-9A-Z]{5})/.exec(box.serial.text)?.[1] ?? "";
      await vi.waitFor(async () => expect(await answer(BARE, "/healthz")).toContain(`"ok":true`), SOON);
      const body = JSON.stringify({ code, name: "anna", password: PASSWORD });
      const claim = ["curl", "-sk", "-m", "30", "-H", "content-type: application/json", "-d", body];
      expect(await laptop.run([...claim, `https://${BARE}/api/v1/claim`])).toContain(`"role":"admin"`);
      const newest = () => box.serial.text.slice(box.serial.text.lastIndexOf("Web UI"));
      await vi.waitFor(() => expect(newest()).not.toContain("Claim code"), SOON);
    },
    START_MILLIS,
  );

  test(
    "asks at the console for the account before it opens a shell",
    async () => {
      // The menu asks the box first.
      await type(ENTER, "has no configuration yet");
      await type("s", "The name of the account:");
      await type(`anna${ENTER}`, "The password of anna:");
      await type(`not this one${ENTER}`, "the name or the password is wrong");
      await type(" ", "Factory reset");
      await type("s", "The name of the account:");
      await type(`anna${ENTER}`, "The password of anna:");
      await type(`${PASSWORD}${ENTER}`, "Welcome, anna.");
      await type(" ", "Factory reset");
      expect(await type("s", "/ #")).toHaveLength(1);
    },
    START_MILLIS,
  );

  const shell = async (line: string) => {
    // The line itself is shown as well, in which the quotes stand.
    const [, said = ""] = await type(`${line}; echo "done"'.'\n`, /'\.'\n([\s\S]*?)done\./);
    return said;
  };

  test(
    "listens for what it needs and nothing else, and no unit failed",
    async () => {
      const sockets = (await shell("ss -Htuln")).matchAll(/^(tcp|udp) +\S+ +\d+ +\d+ +\S+:(\d+) /gm);
      const ports = new Set(Array.from(sockets, ([, protocol, port]) => `${protocol} ${port}`));
      expect([...ports].toSorted()).toEqual(["tcp 443", "udp 5353"]);
      expect(await shell("systemctl --failed --no-legend --plain")).not.toContain("failed");
      expect(await shell("systemctl is-active systemd-networkd futago-bare.target")).toMatch(/active\s+active/);
    },
    START_MILLIS,
  );

  test(
    "owns its ports by itself as soon as it has a configuration",
    async () => {
      await shell(`echo '${JSON.stringify(CONFIGURATION)}' >/tmp/c.json`);
      expect(await shell("futago config apply /tmp/c.json")).toContain("evision");
      await vi.waitFor(async () => expect(await answer("10.2.0.2", "/healthz")).toContain(`"ok":true`), SOON);
      await vi.waitFor(async () => {
        expect(await shell("systemctl is-active systemd-networkd systemd-resolved")).toMatch(/inactive\s+inactive/);
        const addresses = await shell("/usr/bin/ip -4 -br address");
        expect(addresses).toMatch(/port1 +UP +10\.1\.0\.2\/24 *\r?\n/);
        expect(addresses).toMatch(/port2 +UP +10\.2\.0\.2\/24 *\r?\n/);
      }, SOON);
      expect(await shell("hostname")).toContain("edge");
    },
    START_MILLIS,
  );

  test(
    "gives them back after a factory reset, and leaves the fixed address to whoever has it",
    async () => {
      await other.ip(`addr add ${BARE}/24 dev eth0`);
      await shell("futago factory-reset --yes --force");
      await vi.waitFor(async () => {
        expect(await shell("systemctl is-active futago-bare.target")).toMatch(/^\s*active/);
        expect(await shell("journalctl -q -u systemd-networkd --no-pager | grep -c conflict")).not.toMatch(/^\s*0\s/);
      }, SOON);
      expect(await shell("/usr/bin/ip -4 -br address show dev port2")).not.toContain(BARE);
      expect(await shell("hostname")).toContain("futago-0001");
    },
    START_MILLIS,
  );
});
