/** All that the two cores say to each other in messages that may be longer than a line. Pure. */
import type { Result } from "@futago/hal/units/result.ts";
import type { CommitMessage } from "../../../pair/commit/types.ts";
import type { DrillMessage } from "../../../pair/drill/types.ts";
import type { TimelineMessage } from "../timeline/timeline-message.ts";
import { BOX_SHAPES, type BoxMessage } from "../boxes/box-message.ts";
import { ACCESS_SHAPES, type AccessMessage } from "../access/access-message.ts";
import { COMMIT_SHAPES } from "./commit-message.ts";
import { DRILL_SHAPES } from "./drill-message.ts";
import { TIMELINE_SHAPES } from "../timeline/timeline-message.ts";
import { UPDATE_SHAPES, type UpdateMessage } from "../update/update-message.ts";
import { decodeShaped, type ShapeRefusal, type Shapes } from "./shapes.ts";

export type LongMessage = AccessMessage | BoxMessage | CommitMessage | DrillMessage | TimelineMessage | UpdateMessage;

const SHAPES: Shapes<LongMessage> = {
  ...ACCESS_SHAPES,
  ...BOX_SHAPES,
  ...COMMIT_SHAPES,
  ...DRILL_SHAPES,
  ...TIMELINE_SHAPES,
  ...UPDATE_SHAPES,
};

export function decodeLongMessage(text: string): Result<LongMessage, ShapeRefusal> {
  return decodeShaped<LongMessage>(text, SHAPES);
}

export function isBoxMessage(message: LongMessage): message is BoxMessage {
  return Object.hasOwn(BOX_SHAPES, message.kind);
}

export function isUpdateMessage(message: LongMessage): message is UpdateMessage {
  return Object.hasOwn(UPDATE_SHAPES, message.kind);
}

export function isDrillMessage(message: LongMessage): message is DrillMessage {
  return Object.hasOwn(DRILL_SHAPES, message.kind);
}

export function isTimelineMessage(message: LongMessage): message is TimelineMessage {
  return Object.hasOwn(TIMELINE_SHAPES, message.kind);
}

export function isCommitMessage(message: LongMessage): message is CommitMessage {
  return Object.hasOwn(COMMIT_SHAPES, message.kind);
}

export function isAccessMessage(message: LongMessage): message is AccessMessage {
  return Object.hasOwn(ACCESS_SHAPES, message.kind);
}
