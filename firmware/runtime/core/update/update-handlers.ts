/** What people ask of updates. */
import type { UpdateMethods } from "../../control-update.ts";
import type { ControlHandlers } from "../control/control-server.ts";
import { badParameter } from "../control/handlers.ts";
import type { UpdateRoom } from "./update-room.ts";

const PART_LENGTH_MAX = 2 << 20;

export function updateHandlers(room: UpdateRoom): Pick<ControlHandlers, keyof UpdateMethods> {
  return {
    updateStatus: () => room.shown(),
    update: async ({ file, upload, force = false }) => {
      if (typeof force !== "boolean") throw badParameter("force is true or false");
      if (upload !== undefined) return { message: await room.updateFromUpload(checkedNumber(upload, "upload"), force) };
      if (typeof file !== "string" || !file.startsWith("/")) throw badParameter("file is an absolute path on this box");
      return { message: await room.update(file, force) };
    },
    updateUpload: async ({ length }) => ({ upload: await room.upload.begin(checkedNumber(length, "length")) }),
    updateUploadPart: async ({ upload, offset, bytes }) => {
      if (typeof bytes !== "string" || bytes.length > PART_LENGTH_MAX) throw badParameter("bytes is a piece in base64");
      const [id, at] = [checkedNumber(upload, "upload"), checkedNumber(offset, "offset")];
      return { received: await room.upload.take(id, at, Buffer.from(bytes, "base64")) };
    },
    updateBack: async ({ force = false }) => {
      if (typeof force !== "boolean") throw badParameter("force is true or false");
      return { message: await room.back(force) };
    },
  };
}

function checkedNumber(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw badParameter(`${name} is a number`);
}
