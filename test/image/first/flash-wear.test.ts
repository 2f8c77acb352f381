/**
 * What a box writes to its disk when nothing happens to it, counted by the disk. Not in the suite: it takes half an hour.
 * Needs images/build/futago-amd64.img.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebServer } from "../../lab/web-server.ts";
import type { Namespace } from "../../netns/namespaces.ts";
import { Cabling } from "../appliance/cabling.ts";
import { imageFile } from "../appliance/image.ts";
import { Machine } from "../appliance/machine.ts";

const START_MILLIS = 900_000;
const KEY_MILLIS = 240_000;
const PROOF_MILLIS = 1_200_000;
const MEASURED_MILLIS = Number(process.env["FUTAGO_WEAR_MINUTES"] ?? "15") * 60_000;
const DAY_MILLIS = 86_400_000;
const SECTOR_BYTES = 512;
const DAILY_BYTES_MAX = 50e6;
const BARE = "192.168.127.1";
const PASSWORD = "four words do well";
const ENTER = "\r";

const CONFIGURATION = {
  system: { hostname: "edge" },
  interfaces: [
    { name: "wan", device: "port1", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "port2", addresses: ["10.2.0.2/24"] },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"] },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"] },
      ],
    },
  ],
  pools: [
    {
      name: "web",
      backends: [
        { name: "s1", address: "10.2.0.11", port: 80 },
        { name: "gone", address: "10.2.0.12", port: 80 },
      ],
      check: { type: "http", path: "/", expectStatus: "200-399" },
    },
  ],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web", mode: "nat" }],
};

describe("the disk of a box that serves", () => {
  let cabling: Cabling;
  let box: Machine;
  let laptop: Namespace;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "futago-wear-"));
    cabling = await Cabling.start(["wan", "lan"]);
    const cables = await cabling.cables("box", ["wan", "lan"]);
    box = new Machine({ name: "box", directory, image: imageFile(), host: cabling.switches, cables });
    laptop = await cabling.host("laptop", "lan", "192.168.127.2/24");
    const host = await cabling.host("s1", "lan", "10.2.0.11/24");
    await host.ip("route add default via 10.2.0.1");
    await new WebServer({ name: "s1", host: () => host, listen: ["80"], directory }).start();
    await box.start();
    await box.serial.expect("Press Enter for the menu.", START_MILLIS);
    await claim();
    await openShell();
    // A line that is longer than the terminal is wide is shown in pieces.
    await type("stty cols 2000\n", "/ #");
    await shell(`echo '${JSON.stringify(CONFIGURATION)}' >/tmp/c.json`);
    expect(await shell("futago config apply /tmp/c.json")).toContain("evision");
  }, 2 * START_MILLIS);

  afterAll(async () => {
    await box.cut();
    await cabling.destroy();
    rmSync(directory, { recursive: true });
  });

  const claim = async () => {
    const code = /Claim code +([0-9A-Z]{5}-[0-9A-Z]{5})/.exec(box.serial.text)?.[1] ?? "";
    const body = JSON.stringify({ code, name: "anna", password: PASSWORD });
    const words = ["curl", "-sk", "-m", "60", "-H", "content-type: application/json", "-d", body];
    await vi.waitFor(
      async () => expect((await laptop.tryRun([...words, `https://${BARE}/api/v1/claim`])).stdout).toContain("admin"),
      { timeout: START_MILLIS, interval: 2_000 },
    );
  };
  const type = async (keys: string, seen: RegExp | string) => {
    box.serial.skip();
    box.serial.send(keys);
    return await box.serial.expect(seen, KEY_MILLIS);
  };
  const openShell = async () => {
    await type(ENTER, "has no configuration yet");
    await type("s", "The name of the account:");
    await type(`anna${ENTER}`, "The password of anna:");
    await type(`${PASSWORD}${ENTER}`, "Welcome, anna.");
    await type(" ", "Factory reset");
    await type("s", "/ #");
  };
  let lines = 0;
  const shell = async (line: string) => {
    lines += 1;
    // The line itself is shown as well, in which the quotes stand.
    const end = new RegExp(`'${lines}\\.'\\n([\\s\\S]*?)end ${lines}\\.`);
    const [, said = ""] = await type(`${line}; echo "end "'${lines}.'\n`, end);
    return said;
  };
  /** Bytes that the disk was given since it was switched on. */
  const written = async () => Number((await shell("cat /sys/block/vda/stat")).trim().split(/\s+/)[6]) * SECTOR_BYTES;

  test(
    "is written once the version was found good, and then little",
    async () => {
      const good = async () => expect(await shell("futago update status")).toMatch(/was found good/);
      await vi.waitFor(good, { timeout: PROOF_MILLIS, interval: 10_000 });
      const explore = process.env["FUTAGO_WEAR_TRACE"] !== undefined;
      const log = async (line: string) => process.stdout.write(`\n$ ${line}\n${await shell(line)}\n`);
      if (explore) {
        await log("cat /proc/uptime; grep /data /proc/mounts; cat /sys/block/vda/stat");
        await log(
          "mount -t tracefs t /sys/kernel/tracing; cd /sys/kernel/tracing; echo 4096 >buffer_size_kb; for e in ext4/ext4_sync_file_enter ext4/ext4_mark_inode_dirty jbd2/jbd2_end_commit block/block_rq_issue; do echo 1 >events/$e/enable; done; cd /",
        );
      }
      let before = await written();
      const first = before;
      const began = Date.now();
      while (Date.now() - began < MEASURED_MILLIS) {
        await new Promise((resolve) => setTimeout(resolve, 100_000));
        const now = await written();
        process.stdout.write(`${Math.round((Date.now() - began) / 1_000)} s: ${now - before} bytes\n`);
        before = now;
      }
      const millis = Date.now() - began;
      const daily = ((before - first) / millis) * DAY_MILLIS;
      process.stdout.write(`${before - first} bytes in ${millis} ms, ${(daily / 1e6).toFixed(1)} MB a day\n`);
      if (explore) {
        await log("grep -c . /sys/kernel/tracing/trace");
        await log("grep -v mark_inode /sys/kernel/tracing/trace | cut -c1-150 | tail -n 150");
        await log(
          "grep mark_inode /sys/kernel/tracing/trace | sed 's/.*\\]//; s/[0-9.]*: ext4_mark/ mark/; s/caller.*//' | cut -c 7- | sort | uniq -c | sort -rn | head -n 60",
        );
        await log("grep mark_inode /sys/kernel/tracing/trace | cut -c1-150 | head -n 150");
        await log(
          "for p in /proc/[0-9]*; do w=$(sed -n 's/^write_bytes: //p' $p/io); [ \"$w\" = 0 ] || echo $w $p $(tr '\\0' ' ' <$p/cmdline | cut -c1-90); done",
        );
        await log("find /data -xdev -exec stat -c '%i %s %y %n' {} + | tail -n 80");
      }
      expect(daily).toBeLessThan(DAILY_BYTES_MAX);
    },
    PROOF_MILLIS + 2 * MEASURED_MILLIS,
  );
});
