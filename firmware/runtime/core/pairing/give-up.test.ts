import { expect, it } from "vitest";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { PairingFile } from "../../pairing-file.ts";
import type { Log } from "../log.ts";
import { giveUp } from "./give-up.ts";

const pairing = { certificate: "30aa" } as PairingFile;

async function given(refuses: Error | undefined): Promise<readonly string[]> {
  const said: string[] = [];
  const log = { error: (event: string) => void said.push(event) } as unknown as Log;
  const configuration = {
    willGiveUp: (of: string) => Promise.resolve(void said.push(`will for ${of}`)),
    giveUp: (of: string | undefined) => (refuses ? Promise.reject(refuses) : Promise.resolve(void said.push(`${of}`))),
  };
  await giveUp(pairing, { configuration, log });
  return said;
}

it("gives it up for this pairing, whatever somebody began meanwhile", async () => {
  expect(await given(undefined)).toEqual(["will for 30aa", "30aa"]);
});

it("leaves to the next start what the disk refuses, and nothing else", async () => {
  const full = new RefusalError({ exitCode: ExitCode.failed, what: "the disk is full" });
  expect(await given(full)).toEqual(["will for 30aa", "configuration-not-given-up"]);
  await expect(given(new Error("our own fault"))).rejects.toThrow("our own fault");
});
