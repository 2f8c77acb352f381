/** Updates of a box. */
import { Type } from "typebox";
import { coreRoute, ownRoute, type Route } from "./route.ts";
import { asked, Force, Message } from "./schema-parts.ts";
import { UpdateSchema } from "./schema-update.ts";
import { BUNDLE_BYTES_MAX, updateBox } from "./update.ts";

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
      summary: "Install a bundle into the slot that does not run, and start this box anew from it, on trial",
      query: asked({ force: Force }),
      body: Type.String({ format: "binary" }),
      bodyMedia: "application/octet-stream",
      bodyBytesMax: BUNDLE_BYTES_MAX,
      streamsBody: true,
      answer: Message,
    },
    (exchange, { query: { force = false } }) => updateBox(exchange, force),
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
