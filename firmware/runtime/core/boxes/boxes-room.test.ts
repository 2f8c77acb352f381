import { afterEach, describe, expect, it } from "vitest";
import type { BoxFacts } from "../../../pair/survival/types.ts";
import type { BoxShown } from "../../control-ports.ts";
import { decodeLongMessage, isBoxMessage } from "../peer-link/long-message.ts";
import type { BoxMessage } from "./box-message.ts";
import { BoxesRoom } from "./boxes-room.ts";

const open: BoxesRoom[] = [];
afterEach(() => {
  for (const room of open.splice(0)) room.close();
});

interface Machine {
  looks: number;
  state: string;
  linked: boolean;
  alive: boolean;
  mute: boolean;
  asks: number;
}

function roomOf(box: "a" | "b", machine: Machine, peer: () => BoxesRoom): BoxesRoom {
  const facts = (): BoxFacts => ({
    role: machine.state,
    revision: "",
    groups: [{ name: "edge", state: machine.state, down: [] }],
    alarms: [],
    told: true,
  });
  const send = (message: BoxMessage) => {
    if (message.kind === "boxAsk") machine.asks++;
    const decoded = decodeLongMessage(JSON.stringify(message));
    if (!decoded.ok || !isBoxMessage(decoded.value)) throw new Error(`refused: ${JSON.stringify(decoded)}`);
    if (!machine.mute) peer().receive(decoded.value);
  };
  const made = new BoxesRoom({
    link: () => (machine.linked ? { send } : undefined),
    peerAlive: () => machine.alive,
    own: async (): Promise<BoxShown> => {
      machine.looks++;
      const shown = { hostname: box, version: "", role: machine.state, revision: "", uptimeSeconds: 1, urls: [] };
      return { ...shown, box, own: true, at: new Date().toISOString(), ports: [] };
    },
    ownFacts: facts,
    judge: (told) => ({ survives: told === undefined ? "no" : "yes", reasons: [] }),
  });
  open.push(made);
  return made;
}

function pairOf() {
  const machine = (state: string): Machine => ({ looks: 0, state, linked: true, alive: true, mute: false, asks: 0 });
  const machines = { a: machine("active"), b: machine("standby") };
  const a: BoxesRoom = roomOf("a", machines.a, () => b);
  const b: BoxesRoom = roomOf("b", machines.b, () => a);
  return { a, b, machines };
}

const letters = async (one: BoxesRoom) => (await one.boxes()).boxes.map(({ box, own }) => `${box} ${own}`);

describe("both boxes", () => {
  it("are shown by either, this one first", async () => {
    const { a, b } = pairOf();
    expect(await letters(a)).toEqual(["a true", "b false"]);
    expect(await letters(b)).toEqual(["b true", "a false"]);
    expect(a.survival.survives).toBe("yes");
  });

  it("are looked at once for all who ask at a time", async () => {
    const { a, machines } = pairOf();
    await Promise.all(Array.from({ length: 100 }, () => a.boxes()));
    expect([machines.a.looks, machines.b.looks, machines.a.asks]).toEqual([1, 1, 1]);
  });

  it("are looked at anew when a role changed", async () => {
    const { a, machines } = pairOf();
    await a.boxes();
    [machines.a.state, machines.b.state] = ["standby", "active"];
    expect((await a.boxes()).boxes.map(({ role }) => role)).toEqual(["standby", "active"]);
  });

  it("are one while the link is down or the peer is not heard", async () => {
    const { a, machines } = pairOf();
    machines.a.linked = false;
    expect(await letters(a)).toEqual(["a true"]);
    machines.a.linked = true;
    machines.a.alive = false;
    machines.a.state = "standby";
    expect(await letters(a)).toEqual(["a true"]);
    expect(machines.a.asks).toBe(0);
  });

  it("are one while the other core says nothing, and nobody waits for it twice", async () => {
    const { a, machines } = pairOf();
    machines.a.mute = true;
    expect(await letters(a)).toEqual(["a true"]);
    machines.a.state = "standby";
    expect(await letters(a)).toEqual(["a true"]);
    expect(machines.a.asks).toBe(1);
    expect(a.survival.survives).toBe("no");
  });

  it("are shown with the roles of the end of the look, and nobody waits for a peer that dies meanwhile", async () => {
    const { a, machines } = pairOf();
    machines.a.mute = true;
    const looked = a.boxes();
    [machines.a.alive, machines.a.state] = [false, "standby"];
    a.lookAtPeer();
    expect((await looked).boxes.map(({ role }) => role)).toEqual(["standby"]);
    [machines.a.alive, machines.a.mute] = [true, false];
    // It did not answer, which it could not: it is asked again.
    machines.a.state = "maintenance";
    expect(await letters(a)).toEqual(["a true", "b false"]);
  });

  it("drops what is told over a link that is gone, and an answer that nobody asked for", async () => {
    const { a, b, machines } = pairOf();
    await a.boxes();
    machines.a.mute = true;
    a.setLink(false);
    expect(a.survival.survives).toBe("no");
    const { boxes } = await b.boxes();
    const told = { role: "active", revision: "", groups: [], alarms: [], told: true };
    a.receive({ kind: "boxAnswer", request: 99, told: { shown: boxes[0]!, facts: told } });
    expect(a.survival.survives).toBe("no");
  });
});
