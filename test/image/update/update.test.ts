/**
 * A box's two slots for real: RAUC, the boot loader and the box's own judgement in a machine. Needs what
 * `./build.sh image amd64` made.
 */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Machine } from "../appliance/machine.ts";
import { BOOT_MILLIS, enterShell, shell } from "./shell.ts";
import { bundleOf, strangeBundle, withoutService } from "./variant.ts";

const IMAGES = fileURLToPath(new URL("../../../images/build", import.meta.url));
const INSTALL_MILLIS = 1_200_000;
/** Two minutes of soak, by the guest's clock, and the looks. */
const PROOF_MILLIS = 1_200_000;
/** The longest test starts four times and waits for a judgement. */
const TEST = { timeout: 4 * BOOT_MILLIS + INSTALL_MILLIS + PROOF_MILLIS };

let place: string;
let box: Machine;

/** Every bundle on one read-only disk of the machine's. */
async function media(): Promise<string> {
  const directory = join(place, "media");
  mkdirSync(directory);
  const later = await bundleOf({ name: "later", days: 1 });
  const bundles = {
    later,
    older: await bundleOf({ name: "older", days: -1 }),
    broken: await bundleOf(withoutService(2)),
    strange: strangeBundle(place, "amd64", "another"),
    arm: strangeBundle(place, "arm64", "own"),
  };
  for (const [name, path] of Object.entries(bundles)) linkSync(path, join(directory, `${name}.raucb`));
  const whole = readFileSync(later);
  writeFileSync(join(directory, "half.raucb"), whole.subarray(0, whole.length >> 1));
  whole.fill(0xa5, whole.length >> 1, (whole.length >> 1) + 4_096);
  writeFileSync(join(directory, "damaged.raucb"), whole);
  const disk = join(place, "media.img");
  execFileSync("mksquashfs", [directory, disk, "-noD", "-noappend", "-quiet", "-no-progress"]);
  return disk;
}

beforeAll(async () => {
  place = mkdtempSync(join(IMAGES, "test-update-"));
  const disk = await media();
  box = new Machine({
    name: "a",
    directory: place,
    image: join(IMAGES, "futago-amd64.img"),
    hasOwnTime: true,
    devices: [
      "-drive",
      `file=${disk},if=none,id=media,format=raw,readonly=on`,
      "-device",
      "virtio-blk-pci,drive=media",
    ],
  });
  await box.start();
  await enterShell(box);
  // Three variants are made of the image first.
}, 3 * BOOT_MILLIS);
afterAll(async () => {
  await box.cut();
  rmSync(place, { recursive: true, force: true });
});

const update = async (name: string) => {
  await shell(box, "mkdir -p /run/media; mountpoint -q /run/media || mount /dev/vdb /run/media");
  return shell(box, `futago update --no-wait /run/media/${name}.raucb`);
};

interface Shown {
  readonly version: string;
  readonly slots: readonly { readonly slot: string; readonly verdict: string; readonly isRunning: boolean }[];
  readonly proof: { readonly state: string; readonly findings: readonly string[] };
  readonly failure: string | null;
  readonly isWorking: boolean;
}

async function status(): Promise<Shown> {
  const { text } = await shell(box, "futago update status --json");
  return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Shown;
}

async function until(wanted: (shown: Shown) => boolean, limitMillis: number): Promise<Shown> {
  const end = performance.now() + limitMillis;
  while (true) {
    const shown = await status();
    if (wanted(shown) || performance.now() > end) return shown;
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }
}

const runs = ({ slots }: Shown) => slots.find(({ isRunning }) => isRunning);

describe("a box", TEST, () => {
  it.each([
    ["strange", "not signed by anybody that this box trusts"],
    ["arm", "the bundle is for arm64, and this box is x86-64"],
    ["older", "the bundle is older than this box"],
    ["half", "no update bundle, or only a part of one"],
  ])("refuses a bundle that is %s, and says why", async (name, sentence) => {
    const { text, code } = await update(name);
    expect(text).toContain(sentence);
    expect(code).toBe(1);
  });

  it("finds the version that it was born with good", async () => {
    const shown = await until(({ proof }) => proof.state === "good", PROOF_MILLIS);
    expect(shown).toMatchObject({ proof: { state: "good", findings: [] } });
    expect(runs(shown)).toMatchObject({ slot: "a", verdict: "good" });
  });

  it("finds out that a bundle is damaged as it is written, and stays on what runs", async () => {
    expect((await update("damaged")).code).toBe(0);
    const shown = await until(({ isWorking }) => !isWorking, INSTALL_MILLIS);
    expect(shown.failure).toContain("the bundle is damaged");
    expect(shown.slots.map(({ verdict }) => verdict)).toEqual(["good", "bad"]);
  });

  it("starts from the other slot on trial, and finds it good", async () => {
    expect((await update("later")).code).toBe(0);
    await box.serial.expect("Futago: slot b, 2 tries left", INSTALL_MILLIS + BOOT_MILLIS);
    await enterShell(box);
    expect(runs(await status())).toMatchObject({ slot: "b", verdict: "trial" });
    const shown = await until(({ proof }) => proof.state === "good", PROOF_MILLIS);
    expect(runs(shown)).toMatchObject({ slot: "b", verdict: "good" });
  });

  it("comes back by itself from a version whose service does not come up, and says so", async () => {
    const mine = runs(await status())?.slot ?? "";
    const other = mine === "a" ? "b" : "a";
    expect((await update("broken")).code).toBe(0);
    for (const left of [2, 1, 0])
      await box.serial.expect(`Futago: slot ${other}, ${left} tries left`, INSTALL_MILLIS + BOOT_MILLIS);
    await box.serial.expect(`Futago: slot ${mine}, `, BOOT_MILLIS);
    await enterShell(box);
    const shown = await until(({ slots }) => slots.some(({ verdict }) => verdict === "bad"), PROOF_MILLIS);
    expect(runs(shown)).toMatchObject({ slot: mine, verdict: "good" });
    expect((await shell(box, "futago status")).text.replaceAll(/\s+/g, " ")).toContain("failed: it did not come up");
  });
});
