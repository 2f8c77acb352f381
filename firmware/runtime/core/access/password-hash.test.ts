import { describe, expect, it } from "vitest";
import { isPasswordHash, PasswordHash } from "./password-hash.ts";

describe("a password", () => {
  it("is known again, and only it", async () => {
    const passwords = new PasswordHash();
    const hash = await passwords.make("seven old lanterns");
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(isPasswordHash(hash)).toBe(true);
    expect(await passwords.isRight("seven old lanterns", hash)).toBe(true);
    expect(await passwords.isRight("seven old lantern", hash)).toBe(false);
    expect(await passwords.make("seven old lanterns")).not.toBe(hash);
  });

  it("is the same however the machine where it is typed writes its accents", async () => {
    const passwords = new PasswordHash();
    const hash = await passwords.make("caf\u00e9 caf\u00e9 caf\u00e9");
    expect(await passwords.isRight("cafe\u0301 cafe\u0301 cafe\u0301", hash)).toBe(true);
  });

  it("is computed for nobody, too, and is never right", async () => {
    expect(await new PasswordHash().isRight("seven old lanterns", undefined)).toBe(false);
  });

  it("is one of few that wait", async () => {
    const passwords = new PasswordHash();
    const ask = (n: number) => Array.from({ length: n }, () => passwords.isRight("guess", undefined));
    const strangers = ask(8);
    expect([passwords.isCrowded(false), passwords.isCrowded(true)]).toEqual([true, false]);
    const all = [...strangers, ...ask(8)];
    expect([passwords.isCrowded(false), passwords.isCrowded(true)]).toEqual([true, true]);
    await Promise.all(all);
    await expect.poll(() => passwords.isCrowded(false)).toBe(false);
  });
});
