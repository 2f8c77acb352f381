/** Answers that come piece by piece: ping and traceroute as lines of JSON, a capture as a pcapng file. */
import { PassThrough } from "node:stream";
import type { CapturedFrame, CaptureEvent, CaptureQuery } from "@futago/firmware/runtime/control.ts";
import { PcapngWriter } from "@futago/firmware/runtime/pcapng.ts";
import type { RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { StreamListener, WebStream, WebStreams } from "../client/control.ts";
import type { Exchange } from "./exchange.ts";

type Take = (text: string) => Written;

/** What an event adds to the answer, and whether it is the last one. */
interface Written {
  readonly bytes: Uint8Array | string;
  readonly isLast: boolean;
}

/** The answer begins with the first event: what is refused before it is a problem document. */
function answerWith<Stream extends WebStream>(
  { core, asker, reply }: Exchange,
  stream: Stream,
  params: WebStreams[Stream]["params"],
  { type, take }: { readonly type: string; readonly take: Take },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let output: PassThrough | undefined;
    const begin = () => {
      const fresh = new PassThrough();
      fresh.on("drain", () => source.resume());
      fresh.on("close", () => source.close());
      void reply.type(type).send(fresh);
      resolve();
      return fresh;
    };
    const listener: StreamListener = {
      onEvent: (text) => {
        const { bytes, isLast } = take(text);
        output ??= begin();
        if (!output.write(bytes)) source.pause();
        if (!isLast) return;
        source.close();
        output.end();
      },
      onEnd: (error: RefusalError) => {
        if (output === undefined) reject(error);
        // Cut off, so that nobody takes half an answer for a whole one.
        else output.destroy(error);
      },
    };
    const source = core.stream(stream, params, asker, listener);
    reply.raw.once("close", () => source.close());
  });
}

export function diagnose<Stream extends "ping" | "traceroute">(
  exchange: Exchange,
  stream: Stream,
  query: WebStreams[Stream]["params"],
): Promise<void> {
  const take: Take = (text) => ({ bytes: `${text}\n`, isLast: text.includes('"kind":"ended"') });
  return answerWith(exchange, stream, query, { type: "application/x-ndjson; charset=utf-8", take });
}

export function capture(exchange: Exchange, query: CaptureQuery): Promise<void> {
  let writer = new PcapngWriter(0);
  const take: Take = (text) => {
    const event = JSON.parse(text) as CaptureEvent;
    switch (event.kind) {
      case "began":
        writer = new PcapngWriter(event.snap);
        return { bytes: writer.header(event.hostname), isLast: false };
      case "frames":
        return { bytes: Buffer.concat(event.frames.map((frame) => packet(writer, frame))), isLast: false };
      case "ended":
        return { bytes: "", isLast: true };
    }
  };
  void exchange.reply.header("content-disposition", 'attachment; filename="futago-capture.pcapng"');
  return answerWith(exchange, "capture", query, { type: "application/x-pcapng", take });
}

function packet(writer: PcapngWriter, { atNanos, device, bytes, ...rest }: CapturedFrame): Uint8Array {
  const content = Buffer.from(bytes, "base64");
  return writer.packet({ ...rest, atNanos: BigInt(atNanos), device: device ?? "gone", bytes: content });
}
