/** `locate`: lets a person find the box. */
import type { PanelMethods } from "../../control-panel.ts";
import type { ControlHandlers } from "../control/control-server.ts";
import { badParameter } from "../control/handlers.ts";
import type { PanelRoom } from "./panel-room.ts";

export function panelHandlers(panel: PanelRoom): Pick<ControlHandlers, keyof PanelMethods> {
  return {
    locate: ({ on }) => {
      if (typeof on !== "boolean") throw badParameter("on is true or false");
      return { message: panel.locate(on) };
    },
  };
}
