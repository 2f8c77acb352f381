import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RefusalError } from "../exit-code.ts";
import { checkKernelFeatures } from "./kernel-features.ts";
import { readPairKey } from "./pair-key.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "futago-proc-"));
  mkdirSync(join(root, "sys/kernel"), { recursive: true });
  mkdirSync(join(root, "net"));
  writeFileSync(join(root, "sys/kernel/osrelease"), "6.1.0-30-amd64\n");
  writeFileSync(join(root, "filesystems"), "nodev\tsysfs\nnodev\tbpf\n\text4\n");
  writeFileSync(join(root, "net/packet"), "");
  writeFileSync(join(root, "net/if_inet6"), "");
});
afterEach(() => rmSync(root, { recursive: true }));

function refusal(action: () => void): RefusalError {
  try {
    action();
  } catch (error) {
    if (error instanceof RefusalError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("kernel features", () => {
  it("are content with a kernel that has them all", () => {
    expect(() => checkKernelFeatures(root)).not.toThrow();
  });

  it("name the BPF file system and packet sockets when they are missing", () => {
    writeFileSync(join(root, "filesystems"), "nodev\tsysfs\nnodev\tbpfilter\n");
    rmSync(join(root, "net/packet"));
    const { refusal: told } = refusal(() => checkKernelFeatures(root));
    expect(told.what).toBe("missing kernel feature: the BPF file system; packet sockets");
    expect(told.mend).toContain("CONFIG_PACKET");
    expect(told.exitCode).toBe(1);
  });

  it.each(["5.15.0", "4.19.0", "garbage"])("refuse kernel %s as too old", (release) => {
    writeFileSync(join(root, "sys/kernel/osrelease"), release);
    expect(refusal(() => checkKernelFeatures(root)).refusal.what).toContain("Linux 5.16 or newer");
  });

  it.each(["5.16.0", "10.0.1"])("accept kernel %s", (release) => {
    writeFileSync(join(root, "sys/kernel/osrelease"), release);
    expect(() => checkKernelFeatures(root)).not.toThrow();
  });
});

describe("the pair key file", () => {
  const key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

  it("is read with or without a newline", () => {
    writeFileSync(join(root, "key"), `${key}\n`);
    expect(readPairKey(join(root, "key"))[1]).toBe(0x11);
  });

  it.each(["", key.slice(2), `${key}00`, key.replace("0", "g")])("is refused when it holds %j", (text) => {
    writeFileSync(join(root, "key"), text);
    const error = refusal(() => readPairKey(join(root, "key")));
    expect(error.refusal.exitCode).toBe(2);
    expect(error.message).toContain("openssl rand -hex 32");
    expect(error.message.includes(text)).toBe(text === "");
  });

  it("is refused by name when it is not there", () => {
    expect(refusal(() => readPairKey(join(root, "none"))).message).toContain(join(root, "none"));
  });
});
