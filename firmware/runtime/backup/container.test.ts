import { zstdCompressSync } from "node:zlib";
import { Encrypter } from "age-encryption";
import { beforeAll, describe, expect, it } from "vitest";
import { refusedAtSight, seal, unseal } from "./container.ts";

const PASSPHRASE = "correct horse battery staple";

/** As somebody else's tool would make it, with so little work that tests need not wait. */
async function sealedByHand(content: Uint8Array | string, workLog = 4): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE);
  encrypter.setScryptWorkFactor(workLog);
  return encrypter.encrypt(content);
}

const reasonOf = async (sealed: Uint8Array, passphrase = PASSPHRASE) => {
  const unsealed = await unseal(sealed, passphrase);
  return unsealed.ok ? "none" : unsealed.reason;
};

describe("a sealed file", () => {
  let sealed: Uint8Array;
  beforeAll(async () => {
    sealed = await sealedByHand(zstdCompressSync("Übergänge 双子 ".repeat(20_000)));
  });

  it("is an age file that takes work to open, and gives back its text", async () => {
    const ours = await seal("the box", PASSPHRASE);
    expect(Buffer.from(ours).toString("latin1")).toMatch(/^age-encryption\.org\/v1\n-> scrypt \S{22} 17\n/);
    expect(Buffer.from(ours).includes("the box")).toBe(false);
    expect(await unseal(ours, PASSPHRASE)).toEqual({ ok: true, text: "the box" });
    expect(await unseal(sealed, PASSPHRASE)).toEqual({ ok: true, text: "Übergänge 双子 ".repeat(20_000) });
  });

  it("is shut to another passphrase", async () => {
    expect(await reasonOf(sealed, "Correct horse battery staple")).toBe("wrongPassphrase");
  });

  it("is not believed when it was cut off or changed anywhere", async () => {
    for (const at of [60, 110, 170, 200, sealed.length >> 1, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await reasonOf(changed), `byte ${at}`).toMatch(/^(damaged|wrongPassphrase|notSealed)$/);
      expect(await reasonOf(sealed.subarray(0, at)), `up to ${at}`).toMatch(/^(damaged|notSealed)$/);
    }
    expect(await reasonOf(Buffer.concat([sealed, Buffer.from("more")]))).toBe("damaged");
  });

  it("is not opened where that takes a gigabyte", () => {
    const costly = (workLog: string) => Buffer.from(`age-encryption.org/v1\n-> scrypt ${"A".repeat(22)} ${workLog}\nx`);
    expect(refusedAtSight(costly("18"))).toBeUndefined();
    expect(refusedAtSight(costly("19"))).toBe("tooCostly");
    expect(refusedAtSight(costly("99"))).toBe("tooCostly");
    expect(refusedAtSight(costly("018"))).toBe("notSealed");
    expect(refusedAtSight(costly("180"))).toBe("notSealed");
  });

  it("is none when it is anything else", async () => {
    for (const other of ["", "age-encryption.org/v1\n-> X25519 abc\n", "PK\u0003\u0004", "{}", "\u0000".repeat(1_000)])
      expect(await reasonOf(Buffer.from(other))).toBe("notSealed");
    expect(refusedAtSight(new Uint8Array(100 << 20))).toBe("tooLarge");
  });

  it("does not unpack without end", async () => {
    expect(await reasonOf(await sealedByHand(zstdCompressSync(Buffer.alloc(200 << 20))))).toBe("tooLarge");
  });

  it("is damaged when it holds no text", async () => {
    expect(await reasonOf(await sealedByHand("not packed"))).toBe("damaged");
    expect(await reasonOf(await sealedByHand(zstdCompressSync(Buffer.from([0xff, 0xfe, 0xfd]))))).toBe("damaged");
  });
});
