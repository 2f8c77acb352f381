/** What the control socket's methods about drills do. */
import type { DrillMethods } from "../../control-drill.ts";
import type { ControlHandlers } from "../control/control-server.ts";
import { badParameter } from "../control/handlers.ts";
import type { DrillRoom } from "./drill-room.ts";

export function drillHandlers(room: DrillRoom): Pick<ControlHandlers, keyof DrillMethods> {
  return {
    drill: ({ how = "planned", back = false, author }) => {
      if (how !== "planned" && how !== "killed") throw badParameter('how is "planned" or "killed"');
      if (typeof back !== "boolean") throw badParameter("back is true or false");
      if (typeof author !== "string" || author === "" || author.length > 64) throw badParameter("author is a name");
      return room.start({ how, back, author });
    },
    drills: () => room.shown(),
  };
}
