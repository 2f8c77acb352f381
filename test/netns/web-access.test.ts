/** Who may use the web UI and the API, on whole boxes: asked by the socket of the web process, which nobody trusts. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import type { AuditEntry, SignedIn, WebAccess, WhoIs } from "@futago/firmware/runtime/control-access.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { askWeb, credentialOf, exchange, outcome } from "./web-socket.ts";

const PASSWORD = "seven old lanterns";
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
      "claim eve refused",
      "claim anna done",
      "claim anna refused",
    ]);
  });

  it("answers the web process's socket to its user alone, and there to nobody who did not sign in", async () => {
    const socket = statSync(join(box.state, "web", "core.sock"));
    const directory = statSync(join(box.state, "web"));
    expect([socket.mode & 0o777, directory.mode & 0o777]).toEqual([0o600, 0o700]);
    expect(socket.uid).toBe(directory.uid);
    expect(socket.uid).not.toBe(0);
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
