import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreClient } from "../client/control.ts";
import { StandInCore } from "../client/stand-in-core.test-support.ts";
import { EventStream, type Standing } from "./event-stream.ts";
import { HAPPENED_KEPT, Live, originsOf } from "./live.ts";

let core: StandInCore;
let client: CoreClient;
let live: Live;
const closing: Reader[] = [];

beforeEach(async () => {
  core = new StandInCore({
    watchStatus: () => ({ role: "standby", n: 0 }),
    watchAccess: () => ({ claimed: true, fingerprint: "" }),
    boxes: () => ({ boxes: [] }),
  });
  await core.listen();
  client = new CoreClient({ path: core.path, onLink: (up) => live.onLink(up) });
  live = new Live({ core: client, onAccess: () => undefined, epoch: "e1" });
  await expect.poll(() => live.status).toBeDefined();
});
afterEach(() => {
  for (const reader of closing.splice(0)) reader.destroy();
  live.close();
  client.close();
  core.close();
});

/** What a browser would read, which may read slowly. */
class Reader extends EventEmitter {
  text = "";
  isSlow = false;
  destroyed = false;

  write(text: string): boolean {
    this.text += text;
    return !this.isSlow;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }

  drain(): void {
    this.isSlow = false;
    this.emit("drain");
  }

  get events(): readonly string[] {
    return [...this.text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event, data]) => `${event} ${data}`);
  }

  of(kind: string): readonly string[] {
    return this.events.filter((event) => event.startsWith(`${kind} `));
  }
}

function follow(
  lastEventId?: string,
  mayStill: () => Promise<Standing> = () => Promise.resolve({ kind: "may", expiresAt: null }),
) {
  const raw = new Reader();
  closing.push(raw);
  new EventStream({ live, raw: raw as unknown as ServerResponse, mayStill }).begin(lastEventId, null);
  return raw;
}

const happen = (n: number) => core.publish("watchEvents", { n });

describe("the events of a watcher", () => {
  it("begin with the status and the boxes, and go on with each change", async () => {
    const reader = follow();
    expect(reader.events[0]).toBe('status {"role":"standby","n":0}');
    await expect.poll(() => reader.of("boxes").length).toBeGreaterThan(0);
    core.publish("watchStatus", { role: "active", n: 1 });
    await expect.poll(() => reader.of("status").at(-1)).toBe('status {"role":"active","n":1}');
    happen(1);
    await expect.poll(() => reader.events.at(-1)).toBe('happened {"n":1}');
    expect(reader.text).toContain("id: e1-1\nevent: happened\n");
  });

  it("come from one stream of core for all", async () => {
    for (let count = 0; count < 5; count++) follow();
    expect(core.watchers("watchStatus")).toBe(1);
    expect(core.watchers("watchEvents")).toBe(1);
  });

  it("leave out what a newer status says again", async () => {
    const reader = follow();
    for (let n = 1; n <= 50; n++) core.publish("watchStatus", { role: "standby", n });
    await expect.poll(() => reader.of("status").at(-1)).toBe('status {"role":"standby","n":50}');
    expect(reader.of("status").length).toBeLessThan(20);
  });

  it("are told again to whoever comes back, from where they were", async () => {
    for (let n = 1; n <= 5; n++) happen(n);
    await expect.poll(() => live.sequence).toBe(5);
    expect(follow("e1-3").of("happened")).toEqual(['happened {"n":4}', 'happened {"n":5}']);
    expect(follow("e1-5").of("happened")).toEqual([]);
    expect(follow("e1-0").of("missed")).toEqual([]);
  });

  it.each(["e0-3", "e1-9", "nonsense", "e1-99999999999999999999"])(
    "say that some were missed after %s",
    async (last) => {
      happen(1);
      await expect.poll(() => live.sequence).toBe(1);
      expect(follow(last).events[0]).toBe("missed {}");
    },
  );

  it("are kept for a while only", async () => {
    for (let n = 1; n <= HAPPENED_KEPT + 10; n++) happen(n);
    await expect.poll(() => live.sequence).toBe(HAPPENED_KEPT + 10);
    expect(follow("e1-9").of("missed")).toHaveLength(1);
    const whole = follow("e1-10");
    expect([whole.of("missed").length, whole.of("happened").length]).toEqual([0, HAPPENED_KEPT]);
  });

  it("wait for a slow reader, who then gets every event and the newest status alone", async () => {
    const reader = follow();
    reader.isSlow = true;
    for (let n = 1; n <= 3; n++) happen(n);
    await expect.poll(() => live.sequence).toBe(3);
    for (let n = 1; n <= 20; n++) core.publish("watchStatus", { role: `role ${n}`, n });
    await expect.poll(() => live.role).toBe("role 20");
    const before = reader.of("status").length;
    reader.drain();
    expect(reader.of("happened")).toHaveLength(3);
    expect(reader.of("status").slice(before)).toEqual(['status {"role":"role 20","n":20}']);
  });

  it("end for whoever may not any more, and only for them", async () => {
    const gone = follow(undefined, () => Promise.resolve({ kind: "mayNot" }));
    const stays = follow();
    core.publish("watchAccess", { claimed: true, fingerprint: "x" });
    await expect.poll(() => gone.destroyed).toBe(true);
    expect(stays.events).toContain("access {}");
    expect(stays.destroyed).toBe(false);
  });

  it("end too for whom core could not say it at once", async () => {
    const answers: Standing[] = [{ kind: "unknown" }, { kind: "mayNot" }];
    const gone = follow(undefined, () => Promise.resolve(answers.shift() ?? { kind: "unknown" }));
    core.publish("watchAccess", { claimed: true, fingerprint: "x" });
    await expect.poll(() => gone.destroyed, { timeout: 10_000 }).toBe(true);
    expect(answers).toEqual([]);
  });

  it("say that some were missed when core was away", async () => {
    happen(1);
    await expect.poll(() => live.sequence).toBe(1);
    const reader = follow();
    core.die();
    await core.listen();
    await expect.poll(() => reader.of("missed")).toHaveLength(1);
  });
});

it("the policy names the pair's addresses, and nothing that is none", () => {
  const ports = [{ virtualAddresses: ["10.1.0.1/24", "fd00::1/64", "x; script-src *"] }];
  const boxes = {
    boxes: [{ urls: ["https://10.1.0.2:8443/", "javascript:alert(1)"], ports }],
  } as unknown as BoxesShown;
  expect(originsOf(boxes, 8_443)).toEqual(["https://10.1.0.2:8443", "https://10.1.0.1:8443", "https://[fd00::1]:8443"]);
  expect(originsOf(boxes, 443)).toContain("https://10.1.0.1");
});
