/**
 * A box that says nothing stays in the picture, as it was seen last: whoever looks must see that it is there and silent. A
 * page that never saw it draws its letter alone.
 */
import type { BoxesShown, BoxShown } from "@futago/firmware/runtime/control-ports.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";

export function withSilent(
  before: BoxesShown | undefined,
  told: BoxesShown,
  peer: Pick<NonNullable<BoxStatus["peer"]>, "alive" | "role"> | null,
): BoxesShown {
  const [own, other] = told.boxes;
  // A box alone, or one that gave its peer up, misses nobody.
  if (own === undefined || other !== undefined || peer === null || own.box === "alone") return told;
  const letter = own.box === "a" ? "b" : "a";
  const seen = before?.boxes.find(({ box }) => box === letter) ?? unseen(letter, own);
  const ports = seen.ports.map((port) => ({ ...port, virtualAddresses: [], heartbeat: null }));
  // Its core may be away, and its heartbeats go on.
  return { ...told, boxes: [own, { ...seen, role: peer.alive ? peer.role : "silent", own: false, ports }] };
}

function unseen(box: string, { version, at }: BoxShown): BoxShown {
  return {
    box,
    own: false,
    hostname: "",
    version,
    role: "",
    revision: "",
    uptimeSeconds: null,
    at,
    urls: [],
    ports: [],
  };
}
