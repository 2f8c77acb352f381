/** Updates of a box. */
import { Type } from "typebox";
import { coreRoute, ownRoute, type Route } from "./route.ts";
import { asked, Force, Message } from "./schema-parts.ts";
import { UpdateSchema } from "./schema-update.ts";
import { BUNDLE_BYTES_MAX, updateBox } from "./update.ts";

const ThisBox = Type.Optional(
  Type.Boolean({ description: "Not the other box of its pair, which is updated first otherwise." }),
);

export const UPDATE_ROUTES: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/update",
      scope: "read",
      verb: "update status",
      summary: "What is in this box's two slots, and how the newest update goes",
      answer: UpdateSchema,
    },
    () => ["updateStatus", {}],
  ),
  ownRoute(
    {
      method: "POST",
      path: "/update",
      scope: "admin",
      verb: "update",
      summary:
        "Install a bundle, and start anew from it, on trial: the pair, the standby first, or a box that is alone",
      query: asked({ force: Force, thisBox: ThisBox }),
      body: Type.String({ format: "binary" }),
      bodyMedia: "application/octet-stream",
      bodyBytesMax: BUNDLE_BYTES_MAX,
      streamsBody: true,
      answer: Message,
    },
    (exchange, { query: { force = false, thisBox = false } }) => updateBox(exchange, { force, thisBox }),
  ),
  coreRoute(
    {
      method: "POST",
      path: "/update/stop",
      scope: "admin",
      verb: "update stop",
      summary: "Take the pair's update back, while that can be done: both boxes run the former version then",
      body: asked({}),
      answer: Message,
    },
    () => ["updateStop", {}],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/update/back",
      scope: "admin",
      verb: "update back",
      summary: "Start this box anew from the other slot, on trial",
      body: asked({ force: Force }),
      answer: Message,
    },
    ({ body: { force = false } }) => ["updateBack", { force }],
  ),
];
