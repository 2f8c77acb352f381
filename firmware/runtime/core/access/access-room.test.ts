import { beforeEach, describe, expect, it } from "vitest";
import { type Instant, instant } from "@futago/hal/units/time.ts";
import type { AccessEvent, SignedIn } from "../../control-access.ts";
import { RefusalError } from "../../exit-code.ts";
import type { Log } from "../log.ts";
import { StoreError } from "../../store/refusal.ts";
import { accessHandlers } from "./access-handlers.ts";
import { AccessRoom } from "./access-room.ts";
import type { AccessMessage } from "./access-message.ts";

const HOME = "192.0.2.7";
const PASSWORD = "seven old lanterns";
const HOUR = 3_600_000;

/** A box with a disk, a clock that is moved by hand, and a link to another one. */
class Box {
  readonly disk = new Map<string, string>();
  readonly events: AccessEvent[] = [];
  readonly told: AccessMessage[] = [];
  now = Date.UTC(2026, 2, 1);
  isFull = false;
  room!: AccessRoom;

  async start(letter = "a", joined?: string): Promise<this> {
    this.room = await AccessRoom.open({
      hal: {
        clock: { now: (): Instant => instant(this.now * 1_000) },
        wallClock: { now: () => this.now, isKept: () => true, step: () => undefined },
      },
      log: { error: () => undefined } as unknown as Log,
      settings: {
        setting: (key) => Promise.resolve(this.disk.get(key)),
        putSetting: (key, value) => {
          if (this.isFull)
            return Promise.reject(new StoreError({ code: "diskFull", what: "the disk is full", mend: "make room" }));
          if (value === undefined) this.disk.delete(key);
          else this.disk.set(key, value);
          return Promise.resolve();
        },
      },
      box: letter,
      joined,
      version: "0.1.0",
      hostname: () => "edge",
      names: () => ({ hosts: ["edge"], addresses: ["10.0.0.1"] }),
      ownAddresses: () => ["10.0.0.1", "fd00::1"],
      isWanted: false,
      setAlarm: () => undefined,
      onAccess: (event) => this.events.push(event),
      onChange: () => undefined,
    });
    return this;
  }

  async claim(name = "anna"): Promise<SignedIn> {
    return this.room.door.claim(this.room.door.claimCode, name, PASSWORD, HOME);
  }

  who({ session, proof }: SignedIn): string {
    return this.room.door.person({ kind: "session", session, proof }).name;
  }
}

/** What they say to each other arrives at once. */
function link(one: Box, other: Box): void {
  const to = (box: Box) => ({ send: (message: AccessMessage) => box.room.sync.receive(structuredClone(message)) });
  one.room.sync.setLink(to(other));
  other.room.sync.setLink(to(one));
}

async function reasonOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return "done";
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal.reason ?? error.refusal.what;
    throw error;
  }
}

let box: Box;
beforeEach(async () => {
  box = await new Box().start();
});

describe("a box that nobody has claimed", () => {
  it("keeps its code over restarts, and gives it up with its first user", async () => {
    const code = box.room.door.claimCode;
    await box.start();
    expect(box.room.door.claimCode).toBe(code);
    await box.claim();
    expect(box.room.door.claimCode).toBeNull();
    expect([...box.disk.keys()]).not.toContain("accessClaim");
    expect(await reasonOf(() => box.room.door.claim(code, "eve", PASSWORD, HOME))).toBe("alreadyClaimed");
    expect(box.events.at(-1)?.claimed).toBe(true);
  });

  it("has one first user, whoever is how fast", async () => {
    const code = box.room.door.claimCode;
    const claim = (name: string) => reasonOf(() => box.room.door.claim(code, name, PASSWORD, HOME));
    expect((await Promise.all([claim("anna"), claim("eve")])).toSorted()).toEqual(["alreadyClaimed", "done"]);
    expect(box.room.accounts.users).toHaveLength(1);
  });

  it("lets nobody try all codes", async () => {
    const tries = Array.from({ length: 8 }, () =>
      reasonOf(() => box.room.door.claim("00000-00000", "eve", PASSWORD, HOME)),
    );
    expect((await Promise.all(tries)).filter((one) => one === "wrongCode")).toHaveLength(5);
    expect(await reasonOf(() => box.claim())).toBe("tooManyAttempts");
    box.now += 2_000;
    expect(await reasonOf(() => box.claim())).toBe("done");
  });

  it("takes no first user with a weak password, and costs no attempt", async () => {
    const code = box.room.door.claimCode;
    for (let n = 0; n < 8; n++) {
      expect(await reasonOf(() => box.room.door.claim(code, "anna", "short", HOME))).toBe("passwordTooShort");
    }
    expect(await reasonOf(() => box.room.door.claim(code, "Anna!", PASSWORD, HOME))).toBe("badName");
    expect(await reasonOf(() => box.claim())).toBe("done");
  });
});

describe("a session", () => {
  it("needs its proof, lasts over a restart, and neither is on the disk", async () => {
    const mine = await box.claim();
    await box.room.close();
    await box.start();
    expect(box.who(mine)).toBe("anna");
    const other = await box.room.door.signIn("anna", PASSWORD, HOME);
    expect(await reasonOf(() => box.who({ ...mine, proof: other.proof }))).toBe("notSignedIn");
    expect(await reasonOf(() => box.who({ ...mine, session: mine.proof }))).toBe("notSignedIn");
    await box.room.close();
    const kept = [...box.disk.values()].join();
    for (const secret of [mine.session, mine.proof, PASSWORD]) expect(kept).not.toContain(secret);
  });

  it("ends when nobody uses it for twelve hours, and after seven days", async () => {
    const mine = await box.claim();
    const end = box.now + 7 * 24 * HOUR;
    while (box.now < end - 11 * HOUR) {
      box.now += 11 * HOUR;
      expect(box.who(mine)).toBe("anna");
    }
    box.now = end;
    expect(await reasonOf(() => box.who(mine))).toBe("notSignedIn");
    const next = await box.room.door.signIn("anna", PASSWORD, HOME);
    box.now += 12 * HOUR;
    expect(await reasonOf(() => box.who(next))).toBe("notSignedIn");
  });

  it("ends with another role or password; whoever changes his own keeps the one he does it in", async () => {
    const [mine, other] = [await box.claim(), await box.room.door.signIn("anna", PASSWORD, HOME)];
    const person = box.room.door.person({ kind: "session", session: mine.session, proof: mine.proof });
    expect(
      await reasonOf(() => box.room.door.passwordChange(person, "not the old one", "nine green bottles", HOME)),
    ).toBe("wrongPassword");
    await box.room.door.passwordChange(person, PASSWORD, "nine green bottles", HOME);
    expect(box.who(mine)).toBe("anna");
    expect(await reasonOf(() => box.who(other))).toBe("notSignedIn");
    expect(await reasonOf(() => box.room.door.signIn("anna", PASSWORD, HOME))).toBe("wrongPassword");
    await box.room.accounts.add("bob", "admin", PASSWORD);
    await box.room.accounts.set("anna", "viewer", undefined);
    expect(await reasonOf(() => box.who(mine))).toBe("notSignedIn");
  });

  it("goes on elsewhere by a ticket, once, and no longer than it would have", async () => {
    const mine = await box.claim();
    const person = box.room.door.person({ kind: "session", session: mine.session, proof: mine.proof });
    box.now += 6 * 24 * HOUR;
    expect(await reasonOf(() => box.room.door.ticket(person))).toBe("notSignedIn");
    box.now -= 6 * 24 * HOUR;
    const ticket = await box.room.door.ticket(person);
    // A link that lets somebody else's page go on as whoever made it.
    expect(await reasonOf(() => box.room.door.resume(ticket, "198.51.100.1"))).toBe("notSignedIn");
    const next = await box.room.door.resume(ticket, HOME);
    expect(box.who(next)).toBe("anna");
    expect(await reasonOf(() => box.room.door.resume(ticket, HOME))).toBe("notSignedIn");
    for (const bad of ["", 7, undefined, `${ticket}x`]) {
      expect(await reasonOf(() => box.room.door.resume(bad, HOME))).toBe("notSignedIn");
    }
  });
});

describe("whoever guesses", () => {
  it("waits, and the owner signs in from where she did before", async () => {
    await box.claim();
    const guess = (from: string) => reasonOf(() => box.room.door.signIn("anna", "a guess", from));
    for (let n = 0; n < 20; n++) expect(await guess(`198.51.100.${n}`)).toBe("wrongPassword");
    expect(await guess("198.51.100.99")).toBe("tooManyAttempts");
    expect(await reasonOf(() => box.room.door.signIn("anna", PASSWORD, "198.51.100.98"))).toBe("tooManyAttempts");
    expect(await reasonOf(() => box.room.door.signIn("anna", PASSWORD, HOME))).toBe("done");
  });

  it("is told nothing of who has an account", async () => {
    await box.claim();
    const answers = async (name: unknown) => {
      try {
        await box.room.door.signIn(name, "a guess", "198.51.100.1");
      } catch (error) {
        return (error as RefusalError).refusal;
      }
      return undefined;
    };
    expect(await answers("anna")).toEqual(await answers("nobody"));
    expect(await answers("no name at all")).toEqual(await answers("nobody"));
  });
});

describe("users and tokens", () => {
  it("always leave an admin", async () => {
    await box.claim();
    await box.room.accounts.add("bob", "operator", PASSWORD);
    expect(await reasonOf(() => box.room.accounts.delete("anna"))).toBe("lastAdmin");
    expect(await reasonOf(() => box.room.accounts.set("anna", "viewer", undefined))).toBe("lastAdmin");
    await box.room.accounts.set("bob", "admin", undefined);
    expect(await reasonOf(() => box.room.accounts.delete("anna"))).toBe("done");
    expect(box.room.accounts.users.map(({ name }) => name)).toEqual(["bob"]);
    expect(await reasonOf(() => box.room.accounts.add("bob", "viewer", PASSWORD))).toBe("nameTaken");
    expect(await reasonOf(() => box.room.accounts.add("anna", "root", PASSWORD))).toContain("role is");
    expect(await reasonOf(() => box.room.accounts.delete("anna"))).toBe("noSuchUser");
    await box.room.accounts.add("anna", "viewer", PASSWORD);
    expect(box.room.accounts.users).toHaveLength(2);
  });

  it("leave an admin when two of them are changed at once", async () => {
    await box.claim();
    await box.room.accounts.add("bob", "admin", PASSWORD);
    const demoted = ["anna", "bob"].map((name) => reasonOf(() => box.room.accounts.set(name, "viewer", undefined)));
    expect((await Promise.all(demoted)).toSorted()).toEqual(["done", "lastAdmin"]);
  });

  it("keep a role that was taken while a password was being changed", async () => {
    await box.claim();
    const roleOf = (called: string) => box.room.accounts.users.find(({ name }) => name === called)?.role;
    for (const name of ["bob", "carl"]) await box.room.accounts.add(name, "admin", PASSWORD);
    const bob = await box.room.door.signIn("bob", PASSWORD, HOME);
    const person = box.room.door.person({ kind: "session", session: bob.session, proof: bob.proof });
    const own = reasonOf(() => box.room.door.passwordChange(person, PASSWORD, "nine green bottles", HOME));
    const others = reasonOf(() => box.room.accounts.set("carl", undefined, "nine green bottles"));
    for (const name of ["bob", "carl"]) await box.room.accounts.set(name, "viewer", undefined);
    expect(await Promise.all([own, others])).toEqual(["notSignedIn", "done"]);
    expect(["bob", "carl"].map(roleOf)).toEqual(["viewer", "viewer"]);
  });

  it("have tokens with the scopes that were given, until they are revoked or over", async () => {
    const expiresAt = new Date(box.now + HOUR).toISOString();
    const { token, id } = await box.room.accounts.createToken(
      { name: "ci", scopes: ["operate", "read"], expiresAt },
      "anna",
    );
    expect(token).toMatch(/^futago_[A-Za-z0-9_-]{43}$/);
    const person = () => box.room.door.person({ kind: "token", token });
    expect(person()).toMatchObject({ name: "token ci", role: null, scopes: ["read", "operate"] });
    expect(await reasonOf(() => box.room.accounts.createToken({ name: "ci", scopes: ["read"] }, "anna"))).toBe(
      "nameTaken",
    );
    expect(JSON.stringify(box.room.accounts.tokens)).not.toContain(token);
    expect([...box.disk.values()].join()).not.toContain(token.slice("futago_".length));
    box.now += HOUR;
    expect(await reasonOf(person)).toBe("notSignedIn");
    box.now -= HOUR;
    await box.room.accounts.revokeToken(id);
    expect(await reasonOf(person)).toBe("notSignedIn");
    for (const scopes of [[], ["root"], "read"]) {
      expect(await reasonOf(() => box.room.accounts.createToken({ name: "x", scopes }, "anna"))).toContain("scopes is");
    }
    for (const at of ["1999", "+010000-01-01T00:00:00Z"]) {
      const wish = { name: "x", scopes: ["read"], expiresAt: at };
      expect(await reasonOf(() => box.room.accounts.createToken(wish, "a"))).toBe("badExpiry");
    }
  });
});

describe("a disk that is full", () => {
  it("lets users sign in and sign out, and changes no user", async () => {
    await box.claim();
    await box.room.close();
    box.isFull = true;
    const mine = await box.room.door.signIn("anna", PASSWORD, HOME);
    expect(box.who(mine)).toBe("anna");
    await expect(box.room.accounts.add("bob", "admin", PASSWORD)).rejects.toBeInstanceOf(RefusalError);
    expect(box.room.accounts.users.map(({ name }) => name)).toEqual(["anna"]);
    for (const { id } of box.room.accounts.sessions(undefined)) await box.room.accounts.endSession(id);
    expect(await reasonOf(() => box.who(mine))).toBe("notSignedIn");
  });
});

describe("whoever keeps a connection open", () => {
  it("hears of what may end somebody's rights, and not of everybody who signs in", async () => {
    const mine = await box.claim();
    const heard = async (act: () => Promise<unknown>) => {
      const before = box.events.length;
      await act();
      return box.events.length > before;
    };
    expect(await heard(() => box.room.door.signIn("anna", PASSWORD, HOME))).toBe(false);
    box.now += HOUR;
    expect(await heard(() => Promise.resolve(box.who(mine)))).toBe(false);
    expect(await heard(() => box.room.accounts.endSession(box.room.accounts.sessions(undefined)[0]?.id))).toBe(true);
    expect(await heard(() => box.room.accounts.add("bob", "viewer", PASSWORD))).toBe(true);
    expect(await heard(() => box.room.accounts.set("bob", "operator", undefined))).toBe(true);
    const before = box.room.event.fingerprint;
    expect(await heard(() => box.room.web.newCertificate())).toBe(true);
    expect(box.events.at(-1)).toEqual({ claimed: true, fingerprint: box.room.web.fingerprint });
    expect(box.room.web.fingerprint).not.toBe(before);
  });
});

describe("two boxes of a pair", () => {
  it("know the same after the link was down, whatever was done meanwhile", async () => {
    const other = await new Box().start("b");
    link(box, other);
    const mine = await box.claim();
    expect(other.who(mine)).toBe("anna");
    expect(other.room.door.claimCode).toBeNull();
    for (const one of [box, other]) one.room.sync.setLink(undefined);
    await box.room.accounts.add("bob", "viewer", PASSWORD);
    await other.room.accounts.add("carl", "viewer", PASSWORD);
    const theirs = await other.room.door.signIn("anna", PASSWORD, HOME);
    const [session] = box.room.accounts.sessions(undefined);
    await box.room.accounts.endSession(session?.id);
    expect(other.who(mine)).toBe("anna");
    link(box, other);
    for (const one of [box, other]) {
      expect(one.room.accounts.users.map(({ name }) => name)).toEqual(["anna", "bob", "carl"]);
      expect(await reasonOf(() => one.who(mine))).toBe("notSignedIn");
      expect(one.who(theirs)).toBe("anna");
    }
  });

  it("count failures together", async () => {
    const other = await new Box().start("b");
    link(box, other);
    await box.claim();
    for (let n = 0; n < 5; n++) await reasonOf(() => box.room.door.signIn("anna", "a guess", HOME));
    expect(await reasonOf(() => other.room.door.signIn("anna", PASSWORD, HOME))).toBe("tooManyAttempts");
  });

  it("become one: who joined takes the inviter's accounts, and certificate, and gives its own up for good", async () => {
    const joiner = await new Box().start("b");
    const bob = await joiner.claim("bob");
    await joiner.room.web.newCertificate();
    await joiner.room.web.newCertificate();
    await box.claim();
    await box.room.web.newCertificate();
    await joiner.start("b", "2026-03-01T00:00:00.000Z");
    expect(joiner.who(bob)).toBe("bob");
    link(joiner, box);
    for (const one of [box, joiner]) {
      expect(one.room.accounts.users.map(({ name }) => name)).toEqual(["anna"]);
      expect(await reasonOf(() => one.who(bob))).toBe("notSignedIn");
      expect(one.room.web.fingerprint).toBe(box.room.web.fingerprint);
    }
    // Later it is as good as the other one.
    await expect.poll(() => joiner.disk.get("accessJoined")).toBe("2026-03-01T00:00:00.000Z");
    await joiner.start("b", "2026-03-01T00:00:00.000Z");
    await joiner.room.accounts.add("dora", "viewer", PASSWORD);
    link(joiner, box);
    expect(box.room.accounts.users.map(({ name }) => name)).toEqual(["anna", "dora"]);
  });

  it("become one: an inviter that nobody has claimed takes the joiner's", async () => {
    const joiner = await new Box().start("b");
    const bob = await joiner.claim("bob");
    await joiner.start("b", "2026-03-01T00:00:00.000Z");
    link(joiner, box);
    expect(box.who(bob)).toBe("bob");
    expect(box.room.state.claimed).toBe(true);
    await expect.poll(() => box.disk.has("accessClaim")).toBe(false);
  });

  it("show one audit log, the newest first", async () => {
    const other = await new Box().start("b");
    link(box, other);
    const entry = (at: string, letter: string) =>
      ({ at, box: letter, who: "anna", from: HOME, what: "commit", about: "", outcome: "done" }) as const;
    const times = [1, 2, 3, 4].map((second) => `2026-03-01T00:00:0${second}.000Z`);
    for (const [i, at] of times.entries()) {
      const one = i % 2 === 0 ? box : other;
      one.room.gate.audit(entry(at, i % 2 === 0 ? "a" : "b"), false);
    }
    const shown = async (limit: number, before?: string) => (await box.room.audit(limit, before)).map(({ at }) => at);
    expect(await shown(3)).toEqual([times[3], times[2], times[1]]);
    expect(await shown(9, times[2])).toEqual([times[1], times[0]]);
    const { audit } = accessHandlers(box.room);
    expect(await audit({ before: times[2] ?? "" }, { kind: "root" })).toHaveLength(2);
    // The peer would take it for no message, and the link down.
    expect(await reasonOf(() => audit({ before: "yesterday" }, { kind: "root" }))).toContain("before is a time");
    box.room.sync.setLink(undefined);
    expect(await shown(9)).toEqual([times[2], times[0]]);
  });
});
