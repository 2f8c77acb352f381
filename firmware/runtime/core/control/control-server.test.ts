import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, watch } from "../../../cli/client.ts";
import { type BoxStatus, CONTROL_LINE_BYTES_MAX } from "../../control.ts";
import { RefusalError } from "../../exit-code.ts";
import { JsonInPieces } from "../../json-pieces.ts";
import { type BegunStreams, type ControlHandlers, ControlServer, type Gate } from "./control-server.ts";

let directory = "";
let server: ControlServer | undefined;
let faults: string[] = [];
let captures: string[] = [];
let isAllowed = true;
let lookedUp: Promise<void> = Promise.resolve();
const status = { box: "a", role: "standby" } as BoxStatus;

const handlers = {
  status: () => status,
  config: () => {
    throw new RefusalError({ exitCode: 3, what: "bad", where: "here", mend: "mend it" });
  },
  health: () => {
    throw new Error("a bug");
  },
} as unknown as ControlHandlers;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-control-"));
  faults = [];
  captures = [];
  isAllowed = true;
  server = await ControlServer.open({
    path: join(directory, "control.sock"),
    gate: ({ params }) => {
      if (!isAllowed) throw new RefusalError({ exitCode: 1, what: "not any more", reason: "notSignedIn" });
      return { asker: { kind: "root" }, params, over: () => undefined };
    },
    handlers,
    first: (_, query) => {
      const { services = [] } = query as { services?: unknown };
      if (!Array.isArray(services)) throw new RefusalError({ exitCode: 1, what: "services is a list of names" });
      const pieces = function* () {
        if (services.includes("faulty")) throw new Error("a bug");
        yield JSON.stringify(status);
      };
      return services.length === 0 ? [status] : [new JsonInPieces(pieces())];
    },
    begun: {
      capture: (query, onEvent) => {
        if (query.service === "none") throw new RefusalError({ exitCode: 1, what: "there is no service" });
        captures.push("begun");
        onEvent({ kind: "began", devices: ["eth0"], snap: 64, hostname: "edge" });
        if (query.count === 1) onEvent({ kind: "ended", packets: 0, lost: 0 });
        return () => captures.push("ended");
      },
      ping: async ({ to }, onEvent) => {
        if (to === "nobody") throw new RefusalError({ exitCode: 1, what: "nobody has that name" });
        await lookedUp;
        onEvent({ kind: "began", address: to });
        return () => captures.push("ended");
      },
      traceroute: async () => () => undefined,
    },
    onFault: (method) => faults.push(method),
  });
});
afterEach(() => {
  server?.close();
  rmSync(directory, { recursive: true });
});

function talk(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ path: join(directory, "control.sock") });
    socket.once("data", (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.write(text);
  });
}

describe("the control socket", () => {
  it("belongs to its owner alone", () => {
    expect(statSync(join(directory, "control.sock")).mode & 0o777).toBe(0o600);
  });

  it("answers the command line's client", async () => {
    expect(await ask(directory, "status", {})).toEqual(status);
  });

  it("hands a refusal over whole", async () => {
    await expect(ask(directory, "config", {})).rejects.toMatchObject({
      refusal: { exitCode: 3, what: "bad", where: "here", mend: "mend it" },
    });
  });

  it("reports a bug of ours as a failure and lives on", async () => {
    await expect(ask(directory, "health", {})).rejects.toMatchObject({ refusal: { exitCode: 1 } });
    expect(faults).toEqual(["health"]);
    expect(await ask(directory, "status", {})).toEqual(status);
  });

  it.each([
    ["nonsense\n", "one JSON object"],
    ["[]\n", "one JSON object"],
    ['{"id":1}\n', "one JSON object"],
    ['{"id":1,"method":"toString"}\n', "there is no method"],
    ['{"id":1,"method":"__proto__"}\n', "there is no method"],
  ])("refuses %j without harm", async (text, sentence) => {
    expect(await talk(text)).toContain(sentence);
    expect(await ask(directory, "status", {})).toEqual(status);
  });

  it("streams: first what is, then every change, until the watcher has enough", async () => {
    const seen: string[] = [];
    const watching = watch(directory, "watchStatus", (one) => {
      seen.push(one.role);
      return one.role === "active";
    });
    await expect.poll(() => seen).toEqual(["standby"]);
    server?.publish("watchStatus", { ...status, role: "maintenance" });
    server?.publish("watchStatus", { ...status, role: "active" });
    expect(await watching).toBe(true);
    expect(seen).toEqual(["standby", "maintenance", "active"]);
    await expect.poll(() => server?.watched).toBe(false);
  });

  it.each([
    ["a question that makes no sense", 3, "services is a list of names", []],
    ["what fails by our own fault", ["faulty"], "watchStatus failed: a bug", ["watchStatus"]],
  ])("refuses to stream %s, and lives on", async (_, services, what, seenFaults) => {
    const text = JSON.stringify({ id: 1, method: "watchStatus", params: { services } });
    expect(JSON.parse(await talk(`${text}\n`))).toMatchObject({ id: 1, error: { exitCode: 1, what } });
    expect(faults).toEqual(seenFaults);
    expect(await ask(directory, "status", {})).toEqual(status);
  });

  it("sends nothing to somebody who was refused", async () => {
    const socket = connect({ path: join(directory, "control.sock") });
    let heard = "";
    socket.on("data", (chunk) => (heard += chunk.toString()));
    socket.write(`${JSON.stringify({ id: 1, method: "watchStatus", params: { services: 3 } })}\n`);
    await expect.poll(() => heard).toContain("error");
    expect(server?.watched).toBe(false);
    socket.destroy();
  });

  it("gives a capture's events to the one who asked, and ends it when the asker goes away", async () => {
    const stopped = new AbortController();
    const seen: string[] = [];
    const watching = watch(directory, "capture", ({ kind }) => seen.push(kind) < 0, stopped.signal, { service: "www" });
    await expect.poll(() => seen).toEqual(["began"]);
    expect(captures).toEqual(["begun"]);
    stopped.abort();
    expect(await watching).toBe(false);
    await expect.poll(() => captures).toEqual(["begun", "ended"]);
  });

  it("ends what began only after the asker had gone, and refuses what cannot begin", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    lookedUp = promise;
    const stopped = new AbortController();
    const watching = watch(directory, "ping", () => true, stopped.signal, { to: "10.2.0.11" });
    await expect(watch(directory, "ping", () => true, undefined, { to: "nobody" })).rejects.toMatchObject({
      refusal: { what: "nobody has that name" },
    });
    stopped.abort();
    await watching;
    await expect.poll(() => server?.connections).toBe(0);
    resolve();
    await expect.poll(() => captures).toEqual(["ended"]);
  });

  it("tells the asker when a capture is over, and refuses one that cannot be", async () => {
    const seen: string[] = [];
    const all = (event: { readonly kind: string }) => seen.push(event.kind) > 0 && event.kind === "ended";
    expect(await watch(directory, "capture", all, undefined, { count: 1 })).toBe(true);
    expect(seen).toEqual(["began", "ended"]);
    await expect(watch(directory, "capture", all, undefined, { service: "none" })).rejects.toMatchObject({
      refusal: { what: "there is no service" },
    });
  });

  it("tells a watcher that the box went away, and a later asker that no box runs", async () => {
    const watching = watch(directory, "watchStatus", () => false);
    await expect.poll(() => server?.watched).toBe(true);
    server?.close();
    expect(await watching).toBe(false);
    await expect(ask(directory, "status", {})).rejects.toMatchObject({ refusal: { exitCode: 4 } });
  });

  it("holds the halves of few requests, and answers others meanwhile", async () => {
    const sockets = Array.from({ length: 5 }, () => connect({ path: join(directory, "control.sock") }));
    const half = Buffer.alloc(CONTROL_LINE_BYTES_MAX - 1, " ");
    for (const socket of sockets) {
      socket.on("error", () => undefined);
      socket.write(half);
    }
    const gone = () => sockets.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length;
    await expect.poll(gone, { timeout: 30_000 }).toBe(2);
    expect(await ask(directory, "status", {})).toEqual(status);
    for (const socket of sockets) socket.destroy();
  });

  it("ends what was begun for whoever may not any more, and nothing else", async () => {
    const watching = watch(directory, "capture", () => false, undefined, {});
    await expect.poll(() => captures).toEqual(["begun"]);
    server?.publish("watchAccess", { claimed: true, fingerprint: "" });
    expect(captures).toEqual(["begun"]);
    isAllowed = false;
    server?.publish("watchStatus", status);
    expect(captures).toEqual(["begun"]);
    server?.publish("watchAccess", { claimed: true, fingerprint: "" });
    await expect(watching).rejects.toMatchObject({ refusal: { reason: "notSignedIn" } });
    expect(captures).toEqual(["begun", "ended"]);
  });
});

describe("a socket in a directory that somebody else may write to", () => {
  const open = async (spoil: (place: string) => void) => {
    const theirs = join(directory, "theirs");
    mkdirSync(theirs);
    const path = join(theirs, "core.sock");
    spoil(path);
    const gate: Gate = ({ params }) => ({ asker: { kind: "web" }, params, over: () => undefined });
    const options = { handlers, first: () => [], begun: {} as BegunStreams, gate, onFault: () => undefined };
    return { path, server: await ControlServer.open({ ...options, path, made: join(directory, "made.sock") }) };
  };

  it.each<[string, (place: string) => void]>([
    ["nothing", () => undefined],
    ["a file", (place) => writeFileSync(place, "x")],
    ["a directory with something in it", (place) => mkdirSync(join(place, "deep"), { recursive: true })],
    ["a link to a file of somebody else", (place) => symlinkSync(join(directory, "secret"), place)],
  ])("takes the place of %s, and touches nothing else", async (_, spoil) => {
    writeFileSync(join(directory, "secret"), "mine", { mode: 0o640 });
    const { path, server: web } = await open(spoil);
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    const secret = join(directory, "secret");
    expect([readFileSync(secret, "utf8"), statSync(secret).mode & 0o777]).toEqual(["mine", 0o640]);
    web.close();
  });
});
