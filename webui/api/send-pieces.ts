/** Sends what everybody may have piece by piece, so that whoever reads nothing of it costs a piece, not the whole of it. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

const PIECE_BYTES = 16 << 10;

export async function sendPieces(reply: FastifyReply, body: Buffer): Promise<void> {
  void reply.header("content-length", body.length);
  await reply.send(body.length > PIECE_BYTES ? Readable.from(piecesOf(body)) : body);
}

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}
