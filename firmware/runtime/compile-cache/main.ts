/**
 * Loads every module of a box once, so that its first start finds them stripped of types and compiled: a third of the
 * time and 18 MB per process. `NODE_COMPILE_CACHE` says where, as in `bin/futago`. Nothing is started.
 */
import { flushCompileCache } from "node:module";

await import("@futago/hal/linux.ts");
await import("@futago/hal/pulse/launch.ts");
await import("../main.ts");
await import("../core/core.ts");
await import("../sentinel/sentinel.ts");
await import("@futago/webui/api/web-process.ts");
flushCompileCache();
