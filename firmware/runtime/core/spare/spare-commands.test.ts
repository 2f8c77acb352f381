import { describe, expect, test } from "vitest";
import { FakeClock } from "@futago/hal/fake/machine.ts";
import { exampleDocument } from "../../../config/example.test-support.ts";
import type { Orders } from "../../../config/orders.ts";
import { validate } from "../../../config/validate.ts";
import type { SentinelStatus } from "../../messages.ts";
import type { InForce } from "../configuration.ts";
import { spareHandlers } from "./spare-commands.ts";
import { SpareRoom, type SpareRoomOptions } from "./spare-room.ts";

const REVISION = "ab".repeat(32);

function inForceOn(box: "a" | "b"): InForce {
  const document = { ...exampleDocument, pair: { ...exampleDocument.pair, standby: "cold" } };
  const judged = validate(document, { box });
  if (!judged.ok) throw new Error(JSON.stringify(judged.problems));
  return { resolved: judged.resolved, revision: { id: REVISION } } as InForce;
}

function saying(role: string, alive: boolean): SentinelStatus {
  const alarms = alive ? [] : [{ kind: "peer-lost", since: "", sentence: "" }];
  return {
    role,
    peer: { alive, role: "spare" },
    groups: [],
    heartbeat: undefined,
    alarms,
  } as unknown as SentinelStatus;
}

/** A box of a cold pair that a serves, linked to the other; its sentinel lets go when it is made the spare. */
async function boxOf(box: "a" | "b", inMaintenance: boolean) {
  const alarms = new Map<string, string>();
  const inForce = inForceOn(box);
  const idle = inMaintenance ? "maintenance" : "spare";
  const said = { kind: "result", id: 1, ok: true, message: box === "a" ? "active" : "nothing", exitCode: 0 } as const;
  const room: SpareRoom = new SpareRoom({
    hal: { clock: new FakeClock() } as unknown as SpareRoomOptions["hal"],
    log: { info: () => undefined, warn: () => undefined } as unknown as SpareRoomOptions["log"],
    memory: {
      activation: { epoch: 3, active: "a" },
      keep: async () => undefined,
    } as unknown as SpareRoomOptions["memory"],
    network: { apply: async () => undefined },
    sentinel: {
      connected: true,
      command: async () => said,
      sendOrders: ({ pair }: Orders) => {
        if (pair?.part === "spare") room.setStatus(saying(idle, true));
      },
    },
    inForce: () => inForce,
    inTurn: (change) => change(),
    tell: () => undefined,
    setAlarm: (kind, sentence) => (sentence === undefined ? alarms.delete(kind) : alarms.set(kind, sentence)),
    onEvent: () => undefined,
    onChange: () => undefined,
  });
  await room.stand(inForce);
  room.setLink(true);
  room.setStatus(saying(box === "a" ? "active" : idle, true));
  const link = { pair: { up: true, revision: REVISION } } as unknown as Parameters<typeof spareHandlers>[0]["link"];
  const handlers = spareHandlers({ room, configuration: { inForce }, link, maintenance: { on: inMaintenance } });
  const release = () => Promise.resolve(handlers.spareRelease({ force: false, author: "anna" }));
  return { room, alarms, release };
}

describe("a release", () => {
  test.each([
    [false, "Box a is the spare; nobody serves."],
    [
      true,
      "Box a is released and goes into MAINTENANCE, as was ordered before: it cannot be activated until `futago maintenance off`. Nobody serves.",
    ],
  ])("of a box whose maintenance was ordered before, %s", async (inMaintenance, first) => {
    const { room, release } = await boxOf("a", inMaintenance);
    expect(await release()).toMatchObject({ message: `${first}\nGive \`futago spare activate\` on box b now.` });
    expect(room.role).toBe(inMaintenance ? "maintenance" : "spare");
  });
});

test("the alarm of a dead active box follows what the spare's maintenance allows", async () => {
  const { room, alarms } = await boxOf("b", true);
  expect(alarms.get("active-gone")).toBeUndefined();
  room.setStatus(saying("maintenance", false));
  expect(alarms.get("active-gone")).toMatch(/ is gone: `futago maintenance off` and then `futago spare activate` here/);
  room.setStatus(saying("spare", false));
  expect(alarms.get("active-gone")).toMatch(/ is gone: `futago spare activate` here/);
});
