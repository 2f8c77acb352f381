import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instant } from "@futago/hal/units/time.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CODE_RANDOM_BYTES, formatCode, makeCode } from "../../../pair/ceremony/code.ts";
import type { Log } from "../log.ts";
import { PairingRoom, type PairingRoomOptions } from "./pairing-room.ts";

let directory = "";
let room: PairingRoom;
const log: string[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-pairing-room-"));
  log.length = 0;
});
afterEach(() => {
  room.close();
  rmSync(directory, { recursive: true });
});

function begin(configuration: Partial<PairingRoomOptions["configuration"]>): void {
  room = new PairingRoom({
    hal: { clock: { now: () => instant(1_000) }, network: { links: () => Promise.resolve([]) } },
    log: {} as Log,
    stateDirectory: directory,
    standing: { kind: "alone", box: undefined, credentials: undefined, seed: undefined, pairing: undefined },
    seed: "",
    configuration: { inForce: undefined, ...configuration },
    link: () => undefined,
    status: () => undefined,
    restart: () => undefined,
  } as unknown as PairingRoomOptions);
}

const code = formatCode(makeCode(new Uint8Array(CODE_RANDOM_BYTES)));

it("has said that the box gives its configuration up before it looks for the other one", async () => {
  begin({
    willGiveUp: (pairing) => {
      log.push(room.shown().ceremony.phase, /^30[0-9a-f]{200}/.test(pairing) ? "a certificate" : pairing);
      return Promise.resolve();
    },
  });
  expect((await room.join(code, true)).ceremony.phase).toBe("joining");
  expect(log).toEqual(["idle", "a certificate"]);
});

it("does not begin where the disk does not keep that", async () => {
  begin({ willGiveUp: () => Promise.reject(new Error("full")) });
  await expect(room.join(code, true)).rejects.toThrow("full");
  expect(room.shown().ceremony.phase).toBe("idle");
});
