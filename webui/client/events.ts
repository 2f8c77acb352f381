/** Follows `GET events` until it breaks. Whoever calls decides when and where to go on. */
import type { Api } from "./api.ts";
import { readEvents } from "./event-stream.ts";

export interface EventsOptions {
  /** The id of the newest event that was seen; undefined at the first time. */
  readonly lastId: string | undefined;
  readonly onEvent: (name: string, data: unknown, id: string | undefined) => void;
  /** Something came, were it only a beat. */
  readonly onLife: () => void;
  readonly signal: AbortSignal;
}

/** Ends without a word when the box ends it; throws what `Api.raw` throws. */
export async function followEvents(api: Api, options: EventsOptions): Promise<void> {
  const { lastId, onEvent, onLife, signal } = options;
  const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
  const response = await api.raw("GET", "events", { headers, signal });
  for await (const text of textOf(response)) {
    onLife();
    for (const { event, data, id } of text) onEvent(event, JSON.parse(data), id);
  }
}

async function* textOf(response: Response) {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const read = readEvents(rest + decoder.decode(value, { stream: true }));
    rest = read.rest;
    yield read.events;
  }
}

/** The lines of an `application/x-ndjson` answer as they arrive. */
export async function* linesOf(response: Response): AsyncGenerator {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? "\n" : decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
    if (done) return;
  }
}
