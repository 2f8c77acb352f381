/** A bundle that somebody sends, passed on to core piece by piece: it is never whole in this process. */
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { Readable } from "node:stream";
import type { CoreClient } from "../client/control.ts";
import { boundPauses } from "./request-time.ts";
import { type Exchange, headerOf, sendJson } from "./exchange.ts";

/** As much as core takes. */
export const BUNDLE_BYTES_MAX = 512 << 20;
const PIECE_BYTES = 256 << 10;
/** Over a slow line a bundle takes an hour; core waits for the next piece for longer than that. */
const PAUSE_MILLIS = 60_000;

export async function updateBox(
  exchange: Exchange,
  how: { readonly force: boolean; readonly thisBox: boolean },
): Promise<void> {
  const { core, asker, request } = exchange;
  const length = Number(headerOf(request, "content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length)) {
    const what = "how long the bundle is must be told first, by the header Content-Length";
    throw new RefusalError({ exitCode: ExitCode.usage, what, where: "content-length", reason: "wrongForm" });
  }
  boundPauses(request.raw, exchange.reply.raw, PAUSE_MILLIS);
  const { upload } = await core.ask("updateUpload", { length }, asker);
  await pass(request.body as Readable, (offset, bytes) => sendPiece(core, asker, upload, offset, bytes));
  await sendJson(exchange, await core.askText("update", { upload, ...how, author: "" }, asker));
}

async function sendPiece(
  core: CoreClient,
  asker: Exchange["asker"],
  upload: number,
  offset: number,
  bytes: Buffer,
): Promise<void> {
  await core.ask("updateUploadPart", { upload, offset, bytes: bytes.toString("base64") }, asker);
}

/** In pieces of one length, one after the other: whoever sends waits for the disk. */
async function pass(body: Readable, send: (offset: number, bytes: Buffer) => Promise<void>): Promise<void> {
  let [held, heldBytes, offset]: [Buffer[], number, number] = [[], 0, 0];
  const flush = async () => {
    if (heldBytes === 0) return;
    const piece = Buffer.concat(held);
    [held, heldBytes] = [[], 0];
    await send(offset, piece);
    offset += piece.length;
  };
  for await (const chunk of body) {
    held.push(chunk as Buffer);
    heldBytes += (chunk as Buffer).length;
    if (heldBytes >= PIECE_BYTES) await flush();
  }
  await flush();
}
