/** What the two cores say to each other during a drill, as it may look on the wire. Pure. */
import type {
  Allowed,
  DrillBox,
  DrillMessage,
  DrillRefusal,
  DrillResult,
  DrillVip,
  VipFigure,
} from "../../../pair/drill/types.ts";
import { VIPS_MAX } from "../drill/targets.ts";
import { either, id, list, nothing, object, oneOf, optional, type Shapes, text, time, whole } from "./shapes.ts";

const DAY_MICROS = 86_400_000_000;
const COUNT_MAX = 2 ** 32;

const name = text(64);
const sentence = text(600);
const drill = (value: unknown) => typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
const how = oneOf("planned", "killed");
const duration = whole(0, DAY_MICROS);
const count = whole(0, COUNT_MAX);
const counted = {
  group: name,
  address: text(45),
  silenceMicros: either(nothing, duration),
  sent: count,
  lost: count,
  pauseMicros: duration,
};
const box = object<DrillBox>({ hostname: name, version: name });
const refusal = object<DrillRefusal>({ exitCode: oneOf(5, 6), what: sentence, mend: sentence });
const result = object<DrillResult>({
  id: drill,
  how,
  at: time,
  by: name,
  revision: id,
  tookMillis: count,
  vips: list(VIPS_MAX, object<DrillVip>({ ...counted, from: oneOf("a", "b") })),
  connections: object<DrillResult["connections"]>({ before: count, after: count }),
  allowed: object<Allowed>({ silenceMicros: duration, lost: either(nothing, count) }),
  worse: list(2 * VIPS_MAX, sentence),
  back: oneOf("stayed", "ordered", "worse", "failed"),
  boxes: object<DrillResult["boxes"]>({ a: box, b: box }),
});

export const DRILL_SHAPES: Shapes<DrillMessage> = {
  drillBegin: { drill, how },
  drillReady: { drill, refusal: optional(refusal), box: optional(box) },
  drillKill: { drill },
  drillEnd: { drill },
  drillNotes: {
    drill,
    figures: list(VIPS_MAX, object<VipFigure>({ ...counted, side: oneOf("gave", "took") })),
    before: count,
    after: count,
  },
  drillKept: { result },
};
