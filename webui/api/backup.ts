/** Backup and restore: core seals and opens the file, so that no key of the box passes through here in the clear. */
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { Type } from "typebox";
import { checkValue } from "./check-request.ts";
import { type Exchange, headerOf, sendJson } from "./exchange.ts";
import { asked, Force, Passphrase, ShortText } from "./schema-parts.ts";

export const RESTORE_BYTES_MAX = 32 << 20;
const DEVICES_MAX = 256;
const DeviceMap = Type.Optional(
  Type.Record(Type.String(), Type.String({ maxLength: 15 }), {
    maxProperties: DEVICES_MAX,
    description: "From a device's name in the file to its name on this box.",
  }),
);
const Options = asked({
  map: DeviceMap,
  force: Type.Optional(Type.Boolean()),
});

export const StickSchema = Type.Object({
  files: Type.Array(Type.String(), { description: "Backup files of a USB stick; none on a box that is configured." }),
});
export const StickBody = asked({ name: ShortText, passphrase: Passphrase, map: DeviceMap, force: Force });

export async function backUp({ core, asker, reply }: Exchange, passphrase: string): Promise<void> {
  const { file, revision, letter } = await core.ask("backupSealed", { passphrase }, asker);
  const name = `futago-${letter ?? "alone"}-${revision.slice(0, 16)}.age`.replaceAll(/[^A-Za-z0-9.-]/g, "");
  await reply
    .header("content-disposition", `attachment; filename="${name}"`)
    .type("application/age")
    .send(Buffer.from(file, "base64"));
}

export async function restore(exchange: Exchange): Promise<void> {
  const { core, asker, request } = exchange;
  const passphrase = checkValue(Passphrase, fromBase64(headerOf(request, "futago-passphrase"))) as string;
  const { map = {}, force = false } = optionsOf(headerOf(request, "futago-options"));
  const file = (request.body as Buffer).toString("base64");
  await sendJson(exchange, await core.askText("restoreSealed", { file, passphrase, map, force, author: "" }, asker));
}

function fromBase64(text: string | undefined): string {
  if (text !== undefined && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return Buffer.from(text, "base64").toString("utf8");
  throw badHeader("futago-passphrase", "this header is the passphrase as base64 of its UTF-8");
}

function optionsOf(text: string | undefined): { map?: Record<string, string>; force?: boolean } {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badHeader("futago-options", "this header is JSON: {map?, force?}");
  }
  return checkValue(Options, value) as { map?: Record<string, string>; force?: boolean };
}

function badHeader(where: string, what: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.usage, what, where, reason: "wrongForm", parameters: {} });
}
