import type { Words } from "../words.ts";
import { access } from "./access.ts";
import { change } from "./change.ts";
import { look } from "./look.ts";
import { overview } from "./overview.ts";
import { shell } from "./shell.ts";

export const ja: Words = { access, change, look, overview, shell };
