import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Child } from "./child.ts";
import { ServiceKeeper } from "./service-keeper.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class FakeChild {
  readonly report: { readonly name: string; readonly pid: number };
  silentMillis = 0;
  asked = 0;
  aborts = 0;
  ask = () => void (this.asked += 1);
  abort = () => void (this.aborts += 1);

  constructor(name: string) {
    this.report = { name, pid: 7 };
  }
}

function keeper(expectedMicros: number | null = 60e6) {
  const told: string[] = [];
  const logged: string[] = [];
  const children = ["sentinel", "core", "web"].map((name) => new FakeChild(name));
  const watchdogMicros = expectedMicros ?? undefined;
  const notice = { watchdogMicros, tell: (...lines: readonly string[]) => void told.push(lines.join(" ")) };
  const one = new ServiceKeeper(notice, children as unknown as Child[], (event) => logged.push(event));
  const [sentinel, core, web] = children as [FakeChild, FakeChild, FakeChild];
  return { one, told, logged, sentinel, core, web, notice };
}

describe("whoever started the box is told", () => {
  test("that it is up, that it lives, and that it ends", () => {
    const { one, told, core } = keeper();
    one.begin();
    one.ready();
    vi.advanceTimersByTime(12_000);
    one.ending("The box ends.", "STOPPING=1");
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([
      "READY=1 STATUS=The box is up.",
      "WATCHDOG=1",
      "WATCHDOG=1",
      "STOPPING=1 WATCHDOG=1 STATUS=The box ends.",
    ]);
    expect(core.asked).toBe(2);
  });

  test("nothing of life where it is not asked for, and no child is asked", () => {
    const { one, told, core } = keeper(null);
    one.begin();
    vi.advanceTimersByTime(600_000);
    expect([told, core.asked]).toEqual([[], 0]);
  });

  test("no sign of life while the sentinel gives none", () => {
    const { one, told, sentinel } = keeper();
    one.begin();
    sentinel.silentMillis = 15_001;
    vi.advanceTimersByTime(12_000);
    expect([told, sentinel.aborts]).toEqual([["STATUS=The sentinel does not answer."], 0]);
    sentinel.silentMillis = 0;
    vi.advanceTimersByTime(6_000);
    expect(told.slice(1)).toEqual(["STATUS=The box is up.", "WATCHDOG=1"]);
  });

  test("life, when a core that hung was ended to be started again", () => {
    const { one, told, logged, core, web } = keeper();
    one.begin();
    core.silentMillis = 30_001;
    vi.advanceTimersByTime(6_000);
    expect([told, logged, core.aborts, web.aborts]).toEqual([["WATCHDOG=1"], ["child-hangs"], 1, 0]);
  });

  test("again, when the socket refused", () => {
    const { one, notice, logged, told } = keeper();
    const tell = notice.tell;
    notice.tell = () => {
      throw new HalError("EAGAIN", "sendto(NOTIFY_SOCKET)", "full");
    };
    one.begin();
    vi.advanceTimersByTime(12_000);
    expect(logged).toEqual(["notice-refused"]);
    notice.tell = tell;
    vi.advanceTimersByTime(6_000);
    expect(told).toEqual(["WATCHDOG=1"]);
  });
});
