/** Two boxes of a cold pair on paper: whatever happens to boxes, the cable between them and people, one serves at most. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { after, type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { refuseActivation, refuseLook, refuseRelease } from "./refusals.ts";
import { initialSpare, next, nextTimeout, standing, step } from "./step.ts";
import {
  type Activation,
  type Box,
  type Look,
  NO_ACTIVATION,
  type SpareConfig,
  type SpareInput,
  type SpareState,
} from "./types.ts";

interface OneBox {
  readonly config: SpareConfig;
  disk: Activation;
  /** Undefined: it has no power. */
  state: SpareState | undefined;
}

const NAMES: readonly Box[] = ["a", "b"];
const VIP = parseIpAddress("10.1.0.1")!;
const MAC = parseMac("02:00:00:00:00:01")!;

class World {
  readonly boxes: Readonly<Record<Box, OneBox>>;
  cable = true;
  now: Instant = instant(1_000_000);

  constructor(preferred: Box) {
    const box = (name: Box): OneBox => ({
      config: { box: name, cold: true, preferred },
      disk: NO_ACTIVATION,
      state: undefined,
    });
    this.boxes = { a: box("a"), b: box("b") };
  }

  serves(name: Box): boolean {
    const { config, state } = this.boxes[name];
    return state !== undefined && standing(config, state).part === "active";
  }

  power(name: Box, on: boolean): void {
    const box = this.boxes[name];
    if (on === (box.state !== undefined)) return;
    box.state = on ? initialSpare(box.disk) : undefined;
    if (on) this.input(name, { kind: "configured", before: undefined, serving: false });
    this.settle();
  }

  input(name: Box, input: SpareInput): void {
    const box = this.boxes[name];
    if (box.state === undefined) return;
    const result = step(box.config, box.state, input, this.now);
    box.state = result.state;
    for (const action of result.actions) {
      if (action.kind === "keep") box.disk = action.activation;
      else if (action.kind === "look") this.input(name, { kind: "looked", by: "boot", look: this.look(name) });
      else this.tell(other(name), action.activation);
    }
  }

  /** A box answers wherever it serves: the switches of the customers are not cut. */
  look(name: Box): Look {
    const answers = this.serves(other(name)) ? [{ address: VIP, mac: MAC, device: "eth0" }] : [];
    return { answers, unplugged: [], asked: 1 };
  }

  tell(name: Box, activation: Activation): void {
    if (this.boxes[name].state?.linked === true) this.input(name, { kind: "told", activation });
  }

  /** What the sentinels and the link say. */
  settle(): void {
    const states = NAMES.map((name) => this.boxes[name].state);
    const linked = this.cable && states.every((state) => state !== undefined);
    const comesUp = linked && states.some((state) => !state.linked);
    NAMES.forEach((name, i) => {
      if (states[i] !== undefined) this.boxes[name].state = { ...states[i], linked };
    });
    if (comesUp) for (const name of NAMES) this.input(name, { kind: "link", up: true });
    for (const name of [...NAMES, ...NAMES]) {
      const peer = linked ? (this.serves(other(name)) ? "active" : "idle") : "silent";
      this.input(name, { kind: "sentinel", serving: this.serves(name), peer });
    }
  }

  wait(millis: number): void {
    this.now = after(this.now, seconds(millis / 1_000));
    for (const name of NAMES) {
      const at = nextTimeout(this.boxes[name].state ?? initialSpare());
      if (at !== undefined && at <= this.now) this.input(name, { kind: "timeout" });
    }
    this.settle();
  }

  activate(name: Box): void {
    const { config, state } = this.boxes[name];
    if (state === undefined || this.serves(name) || refuseActivation(config, state, false) !== undefined) return;
    this.input(name, { kind: "look" });
    const look = this.look(name);
    this.input(name, { kind: "looked", by: "person", look });
    if (refuseLook(look) === undefined) this.decide(name, name);
  }

  release(name: Box): void {
    const { config, state } = this.boxes[name];
    if (state !== undefined && refuseRelease(config, state, true, false) === undefined) this.decide(name, "nobody");
  }

  decide(name: Box, active: Activation["active"]): void {
    const box = this.boxes[name];
    box.disk = next(box.state!.activation, active);
    this.input(name, { kind: "decided", activation: box.disk, forced: undefined });
    this.settle();
  }
}

function other(name: Box): Box {
  return name === "a" ? "b" : "a";
}

const box = fc.constantFrom<Box>("a", "b");
const event = fc.oneof(
  fc.record({ kind: fc.constant("power" as const), box, on: fc.boolean() }),
  fc.record({ kind: fc.constant("cable" as const), plugged: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("activate" as const, "release" as const), box }),
  fc.record({ kind: fc.constant("wait" as const), millis: fc.constantFrom(100, 5_000, 10_000) }),
);

test("without force no two boxes ever serve, and with both there and a decision one does", () => {
  const run = fc.property(box, fc.array(event, { maxLength: 60 }), (preferred, events) => {
    const world = new World(preferred);
    for (const each of events) {
      if (each.kind === "power") world.power(each.box, each.on);
      else if (each.kind === "wait") world.wait(each.millis);
      else if (each.kind === "cable") {
        world.cable = each.plugged;
        world.settle();
      } else world[each.kind](each.box);
      expect([world.serves("a"), world.serves("b")]).not.toEqual([true, true]);
    }
    world.cable = true;
    world.power("a", true);
    world.power("b", true);
    world.settle();
    for (let i = 0; i < 4; i++) world.wait(10_000);
    const { active } = world.boxes.a.state!.activation;
    expect(world.boxes.b.state!.activation).toEqual(world.boxes.a.state!.activation);
    expect([world.serves("a"), world.serves("b")]).toEqual([active === "a", active === "b"]);
  });
  fc.assert(run, { numRuns: 3_000 });
});
