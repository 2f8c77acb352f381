/** Every route of `/api/v1`. */
import type { Route } from "./route.ts";
import { ACCESS_ROUTES } from "./routes-access.ts";
import { BOX_ROUTES } from "./routes-box.ts";
import { CONFIGURATION_ROUTES } from "./routes-configuration.ts";
import { ORDER_ROUTES } from "./routes-orders.ts";
import { UPDATE_ROUTES } from "./routes-update.ts";

export const ROUTES: readonly Route[] = [
  ...ACCESS_ROUTES,
  ...BOX_ROUTES,
  ...CONFIGURATION_ROUTES,
  ...ORDER_ROUTES,
  ...UPDATE_ROUTES,
];
