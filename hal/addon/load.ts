/**
 * The C addon, loaded once. Other rooms of hal import it through here and cast it to the few functions they use;
 * nothing outside hal does.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../build/futago.node", import.meta.url));

// The addon is a CommonJS-style binary: only require() can load it.
export const addon: unknown = createRequire(import.meta.url)(path);
