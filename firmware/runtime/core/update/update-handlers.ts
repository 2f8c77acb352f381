/** What people ask of updates. */
import type { UpdateMethods } from "../../control-update.ts";
import type { ControlHandlers } from "../control/control-server.ts";
import { badParameter } from "../control/handlers.ts";
import type { PairRoom } from "./pair-room.ts";
import type { UpdateRoom } from "./update-room.ts";

const PART_LENGTH_MAX = 2 << 20;

export function updateHandlers(room: UpdateRoom, pair: PairRoom): Pick<ControlHandlers, keyof UpdateMethods> {
  return {
    updateStatus: () => room.shown(),
    update: async ({ file, upload, force = false, thisBox = false, author }) => {
      if (typeof force !== "boolean") throw badParameter("force is true or false");
      if (typeof thisBox !== "boolean") throw badParameter("thisBox is true or false");
      const isOfPair = !thisBox && !force && pair.isWanted;
      if (!isOfPair && pair.refusal !== undefined) throw pair.refusal;
      if (upload !== undefined) {
        const id = checkedNumber(upload, "upload");
        if (!isOfPair) return { message: await room.updateFromUpload(id, force) };
        return { message: await pair.beginFromUpload(room.upload, id, nameOf(author)) };
      }
      if (typeof file !== "string" || !file.startsWith("/")) throw badParameter("file is an absolute path on this box");
      if (!isOfPair) return { message: await room.update(file, force) };
      return { message: await pair.begin(file, nameOf(author), () => Promise.resolve()) };
    },
    updateStop: async ({ author }) => ({ message: await pair.stop(nameOf(author)) }),
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

function nameOf(author: unknown): string {
  if (typeof author === "string" && author.length <= 64) return author === "" ? "somebody" : author;
  throw badParameter("author is a name");
}

function checkedNumber(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw badParameter(`${name} is a number`);
}
