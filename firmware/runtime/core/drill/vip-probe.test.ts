import type { Ifindex, IpAddress, Mac } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import type { Target } from "./targets.ts";
import { VipProbe } from "./vip-probe.ts";

const target: Target = {
  group: "edge",
  address: "10.1.0.1" as IpAddress,
  ifindex: 2 as Ifindex,
  mac: "02:00:00:00:00:0a" as Mac,
  source: "10.1.0.2" as IpAddress,
  gives: true,
};
const at = (millis: number) => instant(millis * 1_000);

describe("a VIP that this box gives away", () => {
  it("is asked for until the other box answers, and sent echo requests once it has left", () => {
    const probe = new VipProbe(target);
    expect([probe.asks, probe.echoes, probe.leaves]).toEqual([true, false, false]);
    probe.cleared(at(100));
    expect([probe.asks, probe.echoes, probe.leaves]).toEqual([true, false, true]);
    probe.answered(at(101));
    probe.answered(at(102));
    expect([probe.asks, probe.echoes, probe.leaves]).toEqual([false, false, true]);
    probe.gone();
    expect([probe.asks, probe.echoes, probe.leaves]).toEqual([false, true, false]);
    probe.sent(at(200)).answeredAt = at(201);
    probe.sent(at(202));
    expect(probe.figure("killed", at(900))).toMatchObject({ side: "gave", silenceMicros: 1_000, sent: 2, lost: 1 });
  });

  it("counts an answer that was read before this box was told that it had ceased to answer", () => {
    const probe = new VipProbe(target);
    probe.answered(at(101));
    probe.cleared(at(100));
    expect(probe.figure("killed", at(900)).silenceMicros).toBe(1_000);
  });

  it("forgets an answer from before that moment, and a hand-over that was taken back", () => {
    const probe = new VipProbe(target);
    probe.answered(at(50));
    probe.cleared(at(100));
    expect(probe.asks).toBe(true);
    probe.answered(at(103));
    probe.cleared(undefined);
    expect(probe.figure("killed", at(900)).silenceMicros).toBeNull();
    probe.cleared(at(200));
    probe.answered(at(202));
    expect(probe.figure("killed", at(900)).silenceMicros).toBe(2_000);
  });
});

describe("a VIP that this box takes", () => {
  const takes = { ...target, gives: false };

  it("is sent echo requests until it is this box's", () => {
    const probe = new VipProbe(takes);
    expect([probe.asks, probe.echoes]).toEqual([false, true]);
    probe.sent(at(10)).answeredAt = at(11);
    probe.taken(at(85), at(86));
    expect(probe.echoes).toBe(false);
    expect(probe.figure("killed", at(900))).toMatchObject({ side: "took", silenceMicros: 75_000, sent: 1, lost: 0 });
  });

  it("is not taken twice: when the roles go back, the drill is over", () => {
    const probe = new VipProbe(takes);
    probe.sent(at(10)).answeredAt = at(11);
    probe.taken(at(85), at(86));
    probe.taken(at(500), at(501));
    expect(probe.figure("killed", at(900)).silenceMicros).toBe(75_000);
  });
});

it("sends no echo request where no answer could come back", () => {
  expect(new VipProbe({ ...target, source: undefined, gives: false }).echoes).toBe(false);
});
