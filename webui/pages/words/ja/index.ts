import type { Words } from "../words.ts";
import { access } from "./access.ts";
import { change } from "./change.ts";
import { fields } from "./fields.ts";
import { history } from "./history.ts";
import { look } from "./look.ts";
import { network } from "./network.ts";
import { overview } from "./overview.ts";
import { pair } from "./pair.ts";
import { problems } from "./problems.ts";
import { services } from "./services.ts";
import { shell } from "./shell.ts";
import { start } from "./start.ts";
import { system } from "./system.ts";
import { tools } from "./tools.ts";
import { update } from "./update.ts";

export const ja: Words = {
  access,
  change,
  fields,
  history,
  look,
  network,
  overview,
  pair,
  problems,
  services,
  shell,
  start,
  system,
  tools,
  update,
};
