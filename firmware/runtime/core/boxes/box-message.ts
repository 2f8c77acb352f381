/** What the two cores say to each other of the boxes as things with ports: how each looks, and what it knows of itself. Pure. */
import type { BoxFacts, GroupFacts } from "../../../pair/survival/types.ts";
import type { BoxShown, PortShown } from "../../control-ports.ts";
import {
  either,
  flag,
  list,
  nothing,
  number,
  object,
  oneOf,
  type Shapes,
  text,
  time,
  whole,
} from "../peer-link/shapes.ts";

export const PORTS_MAX = 128;
export const ADDRESSES_MAX = 64;
/** Of all groups together a configuration has no more. */
export const VIRTUAL_ADDRESSES_MAX = 1_024;
export const URLS_MAX = 64;
export const GROUPS_MAX = 16;
export const DOWN_MAX = 64;
export const ALARM_WORDS_MAX = 64;

export type BoxMessage =
  | { readonly kind: "boxAsk"; readonly request: number }
  | { readonly kind: "boxAnswer"; readonly request: number; readonly told: ToldBox };

export interface ToldBox {
  readonly shown: BoxShown;
  readonly facts: BoxFacts;
}

const request = whole(0, Number.MAX_SAFE_INTEGER);
const word = text(64);
const address = text(64);
const count = whole(0, Number.MAX_SAFE_INTEGER);
/** Of a revision, or of none. */
const revision = (value: unknown) => typeof value === "string" && /^([0-9a-f]{64})?$/.test(value);

const port = object<PortShown>({
  device: text(15),
  interface: either(word, nothing),
  mac: either(text(17), nothing),
  up: flag,
  carrier: flag,
  speedMbps: either(count, nothing),
  mtu: count,
  addresses: list(ADDRESSES_MAX, address),
  virtualAddresses: list(VIRTUAL_ADDRESSES_MAX, address),
  receivedBytes: count,
  sentBytes: count,
  receivedPackets: count,
  sentPackets: count,
  troubles: count,
  heartbeat: either(
    object<NonNullable<PortShown["heartbeat"]>>({ alive: flag, rttMicros: either(number, nothing) }),
    nothing,
  ),
});

const shown = object<BoxShown>({
  box: oneOf("a", "b"),
  own: flag,
  hostname: word,
  version: word,
  role: word,
  revision,
  uptimeSeconds: either(count, nothing),
  at: time,
  // They become links on a page.
  urls: list(
    URLS_MAX,
    (value) => typeof value === "string" && value.length <= 128 && /^https:\/\/[\w.:[\]-]+\/?$/.test(value),
  ),
  ports: list(PORTS_MAX, port),
});

const facts = object<BoxFacts>({
  role: word,
  revision,
  groups: list(GROUPS_MAX, object<GroupFacts>({ name: word, state: word, down: list(DOWN_MAX, word) })),
  alarms: list(ALARM_WORDS_MAX, word),
  told: flag,
});

export const BOX_SHAPES: Shapes<BoxMessage> = {
  boxAsk: { request },
  boxAnswer: { request, told: object<ToldBox>({ shown, facts }) },
};
