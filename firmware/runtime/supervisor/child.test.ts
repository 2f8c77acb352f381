import { describe, expect, it, vi } from "vitest";
import { Child, type ChildEnd } from "./child.ts";

/** A child that runs JavaScript given as text. */
function run(scripts: readonly string[], decide: (end: ChildEnd, ends: number) => boolean, planned?: string) {
  const messages: unknown[] = [];
  const ends: ChildEnd[] = [];
  let starts = 0;
  let ended: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const child = new Child({
    name: "core",
    argv: () => ["-e", scripts[Math.min(starts++, scripts.length - 1)] ?? ""],
    onMessage: (message) => {
      messages.push(message);
      if (message === planned) child.expectEnd();
    },
    onEnd: (end) => {
      ends.push(end);
      const again = decide(end, ends.length);
      if (!again) ended();
      return again;
    },
  });
  child.start();
  return { child, messages, ends, over };
}

const soon = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 20_000, interval: 10 });

describe("a child of the supervisor", () => {
  it("answers when it is asked, and is started again when it hung and was aborted", async () => {
    const answers = 'process.on("message", () => process.send({ kind: "pong" })); process.send("up")';
    const hangs =
      'process.once("message", () => process.send({ kind: "pong" })); setInterval(() => {}, 1000); process.send("up")';
    const { child, messages, ends } = run([hangs, answers], () => true);
    await soon(() => messages.length === 1);
    // One that starts has a minute to say its first word.
    expect(child.silentMillis).toBe(0);
    child.ask();
    await soon(() => child.silentMillis > 0);
    child.ask();
    await soon(() => child.silentMillis > 300);
    child.abort();
    await soon(() => messages.length === 2);
    child.ask();
    await soon(() => child.silentMillis > 300);
    child.ask();
    await soon(() => child.silentMillis < 300);
    // The answer is the supervisor's own business.
    expect([messages, ends.map(({ signal }) => signal)]).toEqual([["up", "up"], ["SIGKILL"]]);
    await child.stop(5_000);
    expect(child.silentMillis).toBe(0);
  });

  it("is not called silent for the time that others had the processor, up to four minutes", async () => {
    const messages: unknown[] = [];
    let waited = 5_000;
    const script = 'process.once("message", () => process.send({ kind: "pong" })); process.send("up")';
    const child = new Child({
      name: "core",
      argv: () => ["-e", `${script}; setInterval(() => {}, 1000)`],
      waitedMillis: () => waited,
      onMessage: (one) => messages.push(one),
      onEnd: () => false,
    });
    child.start();
    await soon(() => messages.length === 1);
    child.ask();
    await soon(() => child.silentMillis > 300);
    // What it waited before it answered is no excuse for what came after.
    waited += 100_000;
    expect(child.silentMillis).toBe(0);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 300_000);
    waited += 200_000;
    expect(child.silentMillis).toBeGreaterThan(60_000);
    expect(child.silentMillis).toBeLessThan(70_000);
    vi.restoreAllMocks();
    await child.stop(5_000);
  });

  it("lets others go first where that was said of it", async () => {
    const messages: unknown[] = [];
    const script = 'setTimeout(() => process.send(require("node:os").getPriority()), 100); setInterval(() => {}, 1000)';
    const options = { argv: () => ["-e", script], onMessage: (one: unknown) => messages.push(one), onEnd: () => false };
    const polite = new Child({ name: "web", niceness: 5, ...options });
    const plain = new Child({ name: "core", ...options });
    polite.start();
    await soon(() => messages.length === 1);
    plain.start();
    await soon(() => messages.length === 2);
    expect(messages).toEqual([5, 0]);
    await Promise.all([polite.stop(5_000), plain.stop(5_000)]);
  });

  it("is started again when it dies, and its last end is told", async () => {
    const die = 'process.send("hello", () => process.exit(9))';
    const { child, messages, ends, over } = run([die], (_, count) => count < 3);
    await over;
    expect(messages).toEqual(["hello", "hello", "hello"]);
    expect(ends.map((end) => end.code)).toEqual([9, 9, 9]);
    expect(child.report).toEqual({ name: "core", pid: null, restarts: 2, lastEnd: "exit code 9" });
  });

  it("is asked to end by SIGTERM and not started again", async () => {
    const polite = 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); process.send("up")';
    const { child, ends, messages } = run([polite], () => true);
    await expect.poll(() => messages).toEqual(["up"]);
    await child.stop(5_000);
    expect(ends).toEqual([{ name: "core", code: 0, signal: null }]);
    expect(child.report.pid).toBeNull();
    // And again by whoever stopped it, as a child that may die and come back.
    child.start();
    await expect.poll(() => messages).toEqual(["up", "up"]);
    process.kill(child.report.pid ?? 0, "SIGKILL");
    await expect.poll(() => messages).toEqual(["up", "up", "up"]);
    await child.stop(5_000);
  });

  it("is told what it must know, and what is said to one that is not there is lost", async () => {
    const echo = 'process.on("message", (said) => process.send(said)); process.send("up")';
    const { child, messages } = run([echo], () => false);
    await expect.poll(() => messages).toEqual(["up"]);
    child.send({ kind: "ending" });
    await expect.poll(() => messages).toEqual(["up", { kind: "ending" }]);
    await child.stop(5_000);
    child.send({ kind: "ending" });
    expect(messages).toHaveLength(2);
  });

  it("that said so is started again at once, as often as it likes, and that is no end to tell of", async () => {
    const again = 'process.send("again", () => process.exit(0))';
    const { child, messages, ends, over } = run(
      [again, again, again, again, again, "process.exit(9)"],
      () => false,
      "again",
    );
    await over;
    expect(messages).toEqual(Array.from({ length: 5 }, () => "again"));
    expect(ends).toEqual([{ name: "core", code: 9, signal: null }]);
    expect(child.report).toMatchObject({ restarts: 0, lastEnd: "exit code 9" });
  });

  it("is killed when it does not obey in time", async () => {
    const deaf = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); process.send("up")';
    const { child, ends, messages } = run([deaf], () => true);
    await expect.poll(() => messages).toEqual(["up"]);
    await child.stop(50);
    expect(ends[0]?.signal).toBe("SIGKILL");
  });

  it("ends by itself when its standard input ends, which is how it notices a dead supervisor", async () => {
    const orphan = 'process.stdin.on("end", () => process.exit(4)).resume(); process.disconnect()';
    const { child, ends, over } = run([orphan], () => false);
    child.closeInput();
    await over;
    expect(ends[0]?.code).toBe(4);
  });
});
