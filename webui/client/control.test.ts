import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { CoreClient, readReply, WAITING_MAX } from "./control.ts";
import { StandInCore } from "./stand-in-core.test-support.ts";

let core: StandInCore;
let client: CoreClient;
let links: boolean[] = [];

beforeEach(async () => {
  const told: boolean[] = (links = []);
  core = new StandInCore({
    status: () => ({ role: "active" }),
    config: () => {
      throw new RefusalError({ exitCode: ExitCode.failed, what: "no", reason: "notAllowed", parameters: { n: 1 } });
    },
    watchStatus: () => ({ role: "standby" }),
    ping: () => ({ kind: "began", address: "10.0.0.1" }),
    capture: () => {
      throw new RefusalError({ exitCode: ExitCode.conflict, what: "one runs already" });
    },
  });
  await core.listen();
  client = new CoreClient({ path: core.path, onLink: (up) => told.push(up) });
});
afterEach(() => {
  client.close();
  core.close();
});

describe("the web process's end of core's socket", () => {
  it("hands the answer over as text, and says who asks from where", async () => {
    const credential = { kind: "token", token: "t" } as const;
    expect(await client.askText("status", {}, { credential, from: "10.9.9.9" })).toBe('{"role":"active"}');
    expect(core.asked).toContainEqual({ method: "status", params: {}, credential, from: "10.9.9.9" });
    await client.ask("status", {});
    expect(core.asked.at(-1)).toEqual({ method: "status", params: {} });
  });

  it("hands a refusal over whole", async () => {
    await expect(client.ask("config", {})).rejects.toMatchObject({
      refusal: { exitCode: 1, what: "no", reason: "notAllowed", parameters: { n: 1 } },
    });
  });

  it("refuses what waits when core dies, comes back by itself, and watches again", async () => {
    const seen: string[] = [];
    client.watch("watchStatus", {}, (text) => seen.push(text));
    await expect.poll(() => seen).toHaveLength(1);
    const waiting = client.ask("log", {});
    await expect.poll(() => core.asked.at(-1)?.method).toBe("log");
    core.die();
    await expect(waiting).rejects.toMatchObject({ refusal: { exitCode: 4, reason: "coreAway" } });
    await core.listen();
    expect(await client.askText("status", {})).toBe('{"role":"active"}');
    await expect.poll(() => seen).toHaveLength(2);
    expect(links).toEqual([true, false, true]);
  });

  it("asks no more at once than core can be expected to answer, and goes on when it has answered", async () => {
    const waiting = Array.from({ length: WAITING_MAX }, () => client.ask("log", {}).catch(() => "away"));
    await expect.poll(() => core.asked.filter(({ method }) => method === "log").length).toBe(WAITING_MAX);
    await expect(client.ask("status", {})).rejects.toMatchObject({ refusal: { exitCode: 4, reason: "tooBusy" } });
    core.die();
    await Promise.all(waiting);
    await core.listen();
    expect(await client.askText("status", {})).toBe('{"role":"active"}');
  });

  it("gives a stream a connection of its own, and closes it", async () => {
    const seen: string[] = [];
    const stream = client.stream(
      "ping",
      { to: "10.0.0.1" },
      {},
      { onEvent: (text) => seen.push(text), onEnd: () => seen.push("end") },
    );
    await expect.poll(() => seen).toHaveLength(1);
    core.publish("ping", { kind: "answer", sequence: 1, rttMicros: 9 });
    await expect.poll(() => seen).toHaveLength(2);
    expect(core.watchers("ping")).toBe(1);
    stream.close();
    await expect.poll(() => core.watchers("ping")).toBe(0);
    expect(seen).not.toContain("end");
    expect(client.isUp).toBe(true);
  });

  it("tells why a stream was refused", async () => {
    const refusal = await new Promise<RefusalError>((resolve) => {
      client.stream("capture", {}, {}, { onEvent: () => undefined, onEnd: resolve });
    });
    expect(refusal.refusal.what).toBe("one runs already");
  });
});

describe("a line of core", () => {
  it.each([
    ['{"id":7,"result":{"a":"}"}}', { id: 7, kind: "result", text: '{"a":"}"}' }],
    ['{"id":7,"event":[1]}', { id: 7, kind: "event", text: "[1]" }],
    ['{"id":7,"error":{"what":"x"}}', { id: 7, kind: "error", text: '{"what":"x"}' }],
    ['{"id":7}', { id: 7, kind: "result", text: "null" }],
    ['{"id":"7","result":1}', undefined],
    ["[]", undefined],
    ['{"id":7,"result":1', undefined],
  ])("%s", (line, expected) => {
    expect(readReply(line)).toEqual(expected);
  });
});
