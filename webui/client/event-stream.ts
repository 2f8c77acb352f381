/** Reads the text of server-sent events, in whatever pieces it arrives. */

export interface StreamEvent {
  /** Undefined where the event says none: the former one stays. */
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

export interface StreamRest {
  readonly events: readonly StreamEvent[];
  /** What came of the next event so far. */
  readonly rest: string;
}

/** @see HTML Standard, "Interpreting an event stream"; a comment counts as life, and is no event. */
export function readEvents(text: string): StreamRest {
  const blocks = text.replaceAll(/\r\n?/g, "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  return { events: blocks.flatMap((block) => readBlock(block) ?? []), rest };
}

function readBlock(block: string): StreamEvent | undefined {
  let id: string | undefined;
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (field === "id") id = value;
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { id, event, data: data.join("\n") };
}
