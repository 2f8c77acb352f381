/** Who may use the web UI and the API, on whole boxes: asked by the socket of the web process, which nobody trusts. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import type { AuditEntry, SignedIn, WebAccess, WhoIs } from "@futago/firmware/runtime/control-access.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Pair, pairDocument } from "./pair-fixture.ts";
import { PairTerminal as Terminal } from "./pair-terminal.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { askWeb, credentialOf, exchange, outcome } from "./web-socket.ts";

const PASSWORD = "seven old lanterns";
const WAIT = { timeout: 20_000 };
const WEB = ["--web", "127.0.0.1:8443"];

describe("a box alone", () => {
  let net: TestNetwork;
  let host: Namespace;
  let boxes: Boxes;
  let box: RunningBox;

  beforeEach(async () => {
    boxes = new Boxes();
    net = await createNetwork();
    host = await net.namespace("box");
    await net.link(host, "eth0", await net.namespace("client"), "eth0");
    box = boxes.start(host, boxes.state(), ...WEB);
    await box.ready();
  });
  afterEach(async () => {
    await boxes.destroy([host]);
    await net.destroy();
  });

  async function claimed(): Promise<SignedIn> {
    const { claimCode } = await ask(box.state, "webAccess", {});
    return askWeb<SignedIn>(box.state, "claim", { code: claimCode, name: "anna", password: PASSWORD });
  }

  it("is claimed with the code of its console, and goes on knowing whom after a restart", async () => {
    expect(await askWeb(box.state, "accessState", {})).toMatchObject({ claimed: false, box: "alone" });
    const before = await ask(box.state, "webAccess", {});
    expect(before.claimCode).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(await outcome(askWeb(box.state, "claim", { code: "00000-00000", name: "anna", password: PASSWORD }))).toBe(
      "wrongCode",
    );
    const mine = credentialOf(await claimed());
    expect(await askWeb<WhoIs>(box.state, "whoAmI", {}, { credential: mine })).toMatchObject({
      name: "anna",
      role: "admin",
    });
    expect(await outcome(askWeb(box.state, "claim", { code: before.claimCode, name: "eve", password: PASSWORD }))).toBe(
      "alreadyClaimed",
    );
    await box.stop();
    box = boxes.start(host, boxes.state(), ...WEB);
    await box.ready();
    expect(await askWeb<WhoIs>(box.state, "whoAmI", {}, { credential: mine })).toMatchObject({ name: "anna" });
    const after: WebAccess = await ask(box.state, "webAccess", {});
    expect(after).toMatchObject({
      claimCode: null,
      users: 1,
      certificate: { fingerprint: before.certificate?.fingerprint },
    });
    expect(await outcome(askWeb(box.state, "signIn", { name: "anna", password: "wrong password" }))).toBe(
      "wrongPassword",
    );
    expect(await outcome(askWeb(box.state, "signIn", { name: "anna", password: PASSWORD }))).toBe("done");
    const audit = await ask(box.state, "audit", {});
    expect(audit.map(({ what, who, outcome: how }: AuditEntry) => `${what} ${who} ${how}`)).toEqual([
      "signIn anna done",
      "signIn anna refused",
      "claim anna done",
      "claim anna refused",
    ]);
  });

  it("is looked after by root on the box, who needs no password", async () => {
    const futago = async (...argv: string[]) => {
      const { code, stdout, stderr } = await box.futago(...argv);
      return code === 0 ? stdout : `${code} ${stderr}`;
    };
    const password = boxes.file("password", `${PASSWORD}\n`);
    expect(await futago("web")).toContain("claim code");
    expect(await futago("user", "add", "anna", "--role", "viewer")).toContain("2 futago: there is no terminal");
    expect(await futago("user", "add", "anna", "--role", "viewer", "--password-file", password)).toContain(
      "6 futago: nobody would be an admin",
    );
    expect(await futago("user", "add", "anna", "--role", "admin", "--password-file", password)).toBe(
      "User anna is admin.\n",
    );
    expect(await futago("user", "list")).toMatch(/anna +admin +never/);
    expect(await futago("web")).not.toContain("claim code");
    const mine = {
      credential: credentialOf(await askWeb<SignedIn>(box.state, "signIn", { name: "anna", password: PASSWORD })),
    };

    const token = (await futago("token", "create", "ci", "--scope", "read", "--expires", "1d")).trim();
    const byToken = { credential: { kind: "token", token } } as const;
    expect(await askWeb<WhoIs>(box.state, "whoAmI", {}, byToken)).toMatchObject({ name: "token ci", scopes: ["read"] });
    expect(await outcome(askWeb(box.state, "status", {}, byToken))).toBe("done");
    expect(await outcome(askWeb(box.state, "maintenance", { on: true }, byToken))).toBe("notAllowed");
    const [kept] = await ask(box.state, "tokens", {});
    expect(await futago("token", "revoke", kept?.id ?? "")).toBe("Token ci is revoked.\n");
    expect(await outcome(askWeb(box.state, "status", {}, byToken))).toBe("notSignedIn");

    const [session] = await ask(box.state, "sessions", {});
    expect(session?.from).toBe("10.1.0.254");
    expect(await futago("session", "end", session?.id ?? "")).toBe("A session of anna has ended.\n");
    expect(await outcome(askWeb(box.state, "whoAmI", {}, mine))).toBe("notSignedIn");
    expect(await futago("audit")).toMatch(/console +userAdd +anna, admin/);
    expect(await futago("user", "set", "bob", "--password-file", password)).toContain(
      '1 futago: there is no user "bob"',
    );
  });

  it("takes its users and its certificate out of a backup file, and forgets them with all else", async () => {
    const passphrase = boxes.file("passphrase", "four words of a book\n");
    const document = boxes.document("box.json", { interfaces: [{ name: "lan", device: "eth0" }] });
    expect(await box.futago("config", "apply", document)).toMatchObject({ code: 0 });
    const mine = credentialOf(await claimed());
    const { certificate } = await ask(box.state, "webAccess", {});
    const file = join(boxes.directory, "box.age");
    expect(await box.futago("backup", file, "--passphrase-file", passphrase)).toMatchObject({ code: 0 });
    expect(await box.futago("factory-reset", "--yes")).toMatchObject({ code: 0 });
    const isNow = async (wanted: boolean) => {
      const state = await askWeb<{ claimed: boolean }>(box.state, "accessState", {}).catch(() => undefined);
      return state?.claimed === wanted;
    };
    await vi.waitUntil(() => isNow(false), WAIT);
    expect((await ask(box.state, "webAccess", {})).certificate?.fingerprint).not.toBe(certificate?.fingerprint);
    expect(await ask(box.state, "audit", {})).toEqual([]);
    expect(await box.futago("restore", file, "--passphrase-file", passphrase)).toMatchObject({ code: 0 });
    await vi.waitUntil(() => isNow(true), WAIT);
    expect((await ask(box.state, "webAccess", {})).certificate?.fingerprint).toBe(certificate?.fingerprint);
    expect(await outcome(askWeb(box.state, "whoAmI", {}, { credential: mine }))).toBe("notSignedIn");
    expect(await outcome(askWeb(box.state, "signIn", { name: "anna", password: PASSWORD }))).toBe("done");
  });

  it("answers the web process's socket to its user alone, and there to nobody who did not sign in", async () => {
    const socket = statSync(join(box.state, "web", "core.sock"));
    const directory = statSync(join(box.state, "web"));
    expect([socket.mode & 0o777, directory.mode & 0o777]).toEqual([0o600, 0o710]);
    expect([directory.uid, directory.gid]).toEqual([0, socket.gid]);
    expect(socket.uid).not.toBe(0);
    const { uid, gid } = socket;
    const asWeb = `process.chdir(process.argv[1]); process.setgroups([]); process.setgid(${gid}); process.setuid(${uid});`;
    const inItsPlace = `${asWeb} fs.renameSync("core.sock", "away.sock"); fs.mkdirSync("core.sock")`;
    await expect(host.run([process.execPath, "-e", inItsPlace, join(box.state, "web")])).rejects.toThrow("EACCES");
    for (const method of ["config", "log", "commit", "users", "whoAmI", "power", "backup"]) {
      expect([method, await outcome(askWeb(box.state, method, {}))]).toEqual([method, "notSignedIn"]);
    }
    expect(await outcome(askWeb(box.state, "webAccess", {}))).toBe("notAllowed");
    expect(await outcome(askWeb(box.state, "webIdentity", {}))).toBe("notAllowed");
    expect(await exchange(box.state, { id: 4, method: "webIdentity" })).toMatchObject({
      id: 4,
      result: { certificate: expect.stringContaining("BEGIN CERTIFICATE") as unknown },
    });
    expect(await exchange(box.state, { id: 5, method: "config" })).toMatchObject({ error: { reason: "notSignedIn" } });
    expect(await exchange(box.state, { id: 6, method: "watchStatus" })).toMatchObject({ event: { box: "alone" } });
  });
});

describe("two boxes of a pair", () => {
  let pair: Pair;
  let states: readonly [a: string, b: string];

  beforeEach(async () => {
    pair = await Pair.start({ bare: true });
    states = [pair.files.state("a"), pair.files.state("b")];
  });
  afterEach(() => pair.destroy());

  const isClaimed = async (state: string) => (await askWeb<{ claimed: boolean }>(state, "accessState", {})).claimed;
  const fingerprint = async (state: string) => (await ask(state, "webAccess", {})).certificate?.fingerprint;

  it("know the same people, sessions and failures, and show one certificate", async () => {
    const more = ["--import", pair.files.document("pair.json", pairDocument()), ...WEB];
    await Promise.all([pair.startBox("a", more), pair.startBox("b", more)]);
    const [a, b] = states;
    await vi.waitUntil(async () => (await pair.status("a")).pairing.linked, WAIT);
    await vi.waitUntil(async () => (await fingerprint(a)) === (await fingerprint(b)), WAIT);

    const { claimCode } = await ask(a, "webAccess", {});
    const anna = await askWeb<SignedIn>(a, "claim", { code: claimCode, name: "anna", password: PASSWORD });
    await vi.waitUntil(() => isClaimed(b), WAIT);
    expect((await ask(b, "webAccess", {})).claimCode).toBeNull();
    const mine = { credential: credentialOf(anna) };
    await vi.waitUntil(async () => (await outcome(askWeb(b, "whoAmI", {}, mine))) === "done", WAIT);
    const there = await askWeb<SignedIn>(b, "signIn", { name: "anna", password: PASSWORD });
    expect(there.user).toEqual({ name: "anna", role: "admin" });

    // A ticket of a works once on b, whoever has it.
    const { ticket } = await askWeb<{ ticket: string }>(a, "ticket", {}, mine);
    await vi.waitUntil(async () => (await outcome(askWeb(b, "resume", { ticket }))) === "done", WAIT);
    await vi.waitUntil(async () => (await outcome(askWeb(a, "resume", { ticket }))) === "notSignedIn", WAIT);

    // What a session is for is refused to one without the scope, and what was done is put down with who did it.
    await askWeb(a, "userAdd", { name: "vera", role: "viewer", password: "nine green bottles" }, mine);
    await vi.waitUntil(async () => (await ask(b, "users", {})).length === 2, WAIT);
    const vera = {
      credential: credentialOf(await askWeb<SignedIn>(b, "signIn", { name: "vera", password: "nine green bottles" })),
    };
    expect(await outcome(askWeb(b, "status", {}, vera))).toBe("done");
    expect(await outcome(askWeb(b, "switchover", {}, vera))).toBe("notAllowed");
    const told = await askWeb<readonly AuditEntry[]>(a, "audit", {}, mine);
    expect(told.map(({ box, who, what, outcome: how }) => `${box} ${who} ${what} ${how}`)).toEqual(
      expect.arrayContaining([
        "b vera switchover refused",
        "a anna userAdd done",
        "b anna signIn done",
        "a anna claim done",
      ]),
    );

    // Signed out on one box is signed out on both.
    expect(await outcome(askWeb(b, "signOut", {}, mine))).toBe("done");
    await vi.waitUntil(async () => (await outcome(askWeb(a, "whoAmI", {}, mine))) === "notSignedIn", WAIT);

    // Five failures on a are five on b.
    const guess = (state: string) =>
      outcome(askWeb(state, "signIn", { name: "anna", password: "a guess too many" }, { from: "203.0.113.9" }));
    for (let n = 0; n < 8 && (await guess(a)) === "wrongPassword"; n++);
    expect(await guess(a)).toBe("tooManyAttempts");
    await vi.waitUntil(async () => (await guess(b)) === "tooManyAttempts", WAIT);
    expect(await outcome(askWeb(b, "signIn", { name: "anna", password: PASSWORD }))).toBe("done");
  });

  it("are one after they were paired: the joiner gives its own accounts up", async () => {
    const { files, hosts } = pair;
    const [a, b] = await Promise.all(
      (["a", "b"] as const).map(async (name) => {
        const box = files.start(hosts[name], files.state(name), ...WEB);
        await box.ready(WAIT.timeout);
        return box;
      }),
    );
    if (a === undefined || b === undefined) throw new Error("two boxes were started");
    await ask(a.state, "userAdd", { name: "anna", role: "admin", password: PASSWORD });
    await ask(b.state, "userAdd", { name: "bob", role: "admin", password: PASSWORD });
    const bob = await askWeb<SignedIn>(b.state, "signIn", { name: "bob", password: PASSWORD });
    const shown = await fingerprint(a.state);
    const inviter = new Terminal(hosts.a, a.state, "invite");
    const joiner = new Terminal(hosts.b, b.state, "join", await inviter.code());
    expect(await joiner.digits()).toBe(await inviter.digits());
    for (const terminal of [inviter, joiner]) terminal.says("yes");
    expect([(await inviter.ended())[0], (await joiner.ended())[0]]).toEqual([0, 0]);
    const names = async (box: RunningBox) => (await ask(box.state, "users", {})).map(({ name }) => name).join();
    await vi.waitUntil(async () => (await names(b)) === "anna", WAIT);
    expect(await names(a)).toBe("anna");
    expect(await fingerprint(b.state)).toBe(shown);
    expect(await outcome(askWeb(b.state, "whoAmI", {}, { credential: credentialOf(bob) }))).toBe("notSignedIn");
  });
});
