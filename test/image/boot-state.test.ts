/** Our boot state beside what others make of it: mkfs.vfat's and mtools' file systems, and GRUB's own tool. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type BootState,
  decodeBootState,
  encodeBootState,
  encodeBootStateFile,
  defaultBootState,
} from "../../firmware/update/boot-state.ts";
import { beginTrial, loaderBoots, markGood } from "../../firmware/update/boot-steps.ts";
import { BootStateError, openBootState } from "../../firmware/runtime/update/boot-state-store.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-boot-state-"));
});
afterEach(() => rmSync(place, { recursive: true }));

function grubReads(block: Uint8Array): string {
  const file = join(place, "block");
  writeFileSync(file, block);
  return execFileSync("grub-editenv", [file, "list"], { encoding: "utf8" });
}

/** As a disk is born: a mebibyte, FAT12, one file. */
function partition(name: string, state: BootState): string {
  const path = join(place, name);
  writeFileSync(path, "");
  truncateSync(path, 1_048_576);
  execFileSync("mkfs.vfat", ["-F", "12", "-n", name.toUpperCase(), path], { stdio: "ignore" });
  const file = join(place, "futago.env");
  writeFileSync(file, encodeBootStateFile(state));
  execFileSync("mcopy", ["-i", path, file, "::futago.env"]);
  return path;
}

function fileOn(path: string): Buffer {
  return execFileSync("mtype", ["-i", path, "::futago.env"]);
}

const disk = (bs0: string, bs1: string) => ({
  partitions: new Map([
    ["bs0", bs0],
    ["bs1", bs1],
  ]),
});

describe("beside GRUB and mtools", () => {
  it("GRUB reads each line of our block", () => {
    expect(grubReads(encodeBootStateFile({ ...beginTrial(defaultBootState, "b"), generation: 41 }))).toBe(
      "futago=1\ngeneration=41\nprimary=b\na_state=good\na_tries=8\nb_state=trial\nb_tries=3\nend=1\n",
    );
  });

  it("we read what GRUB wrote when it lowered the tries", () => {
    const state = beginTrial(defaultBootState, "b");
    const file = join(place, "block");
    writeFileSync(file, encodeBootStateFile(state));
    execFileSync("grub-editenv", [file, "set", "b_tries=2"]);
    const boot = loaderBoots(state);
    expect(boot.slot).toBe("b");
    expect(decodeBootState(readFileSync(file))).toEqual({
      ok: true,
      value: boot.slot === "b" ? boot.saved : undefined,
    });
  });

  it("a write changes the file's first sector on both partitions and nothing else", () => {
    const paths = [partition("bs0", defaultBootState), partition("bs1", defaultBootState)] as const;
    const before = paths.map((path) => readFileSync(path));
    const store = openBootState(disk(...paths));
    expect(store.read()).toEqual({ state: defaultBootState, from: "bs0", isWhole: true });
    const state = beginTrial(defaultBootState, "b");
    expect(store.write(state)).toEqual([]);
    for (const [i, path] of paths.entries()) {
      expect(fileOn(path)).toEqual(Buffer.from(encodeBootStateFile(state)));
      const after = readFileSync(path);
      const changed = after.findIndex((byte, at) => byte !== before[i]![at]);
      const start = Math.floor(changed / 512) * 512;
      before[i]!.set(encodeBootState(state), start);
      expect(after.equals(before[i]!)).toBe(true);
    }
    expect(store.read()).toEqual({ state, from: "bs0", isWhole: true });
  });

  it("a copy that was torn is made whole by the next write", () => {
    const paths = [partition("bs0", defaultBootState), partition("bs1", markGood(defaultBootState, "a"))] as const;
    const store = openBootState(disk(...paths));
    const whole = readFileSync(paths[0]);
    const at = whole.indexOf("# GRUB Environment Block");
    writeFileSync(paths[0], whole.fill(0xff, at, at + 512));
    expect(store.read()).toMatchObject({ from: "bs1", isWhole: false });
    expect(store.write(markGood(store.read().state, "a"))).toEqual([]);
    expect(store.read()).toMatchObject({ from: "bs0", isWhole: true, state: { generation: 2 } });
  });

  it("a partition that has lost its file system is told of, and the other one is written all the same", () => {
    const paths = [partition("bs0", defaultBootState), partition("bs1", defaultBootState)] as const;
    writeFileSync(paths[0], Buffer.alloc(1_048_576));
    const store = openBootState(disk(...paths));
    const state = markGood(defaultBootState, "a");
    expect(store.write(state)).toEqual([{ copy: "bs0", cause: "it holds no FAT12 file system" }]);
    expect(store.read()).toEqual({ state, from: "bs1", isWhole: false });
    rmSync(paths[1]);
    expect(() => store.write(state)).toThrow(BootStateError);
    expect(store.read()).toMatchObject({ from: "defaults" });
  });
});
