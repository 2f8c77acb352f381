/** Entry of the web process, started by the supervisor as root for a moment: reads its arguments, and how it ends. */
import { parseArgs } from "node:util";
import { pino } from "pino";
import { parseAddress } from "./address.ts";
import { WebProcess } from "./web-process.ts";

const { values } = parseArgs({ options: { state: { type: "string" }, web: { type: "string" } } });
const log = pino(
  { base: { process: "web" }, timestamp: () => `,"time":"${new Date().toISOString()}"`, messageKey: "event" },
  pino.destination({ fd: 2, sync: true }),
);

// The supervisor is gone, so nobody will stop us in order.
process.on("disconnect", () => process.exit(1));
process.stdin.on("end", () => process.exit(1)).resume();
// The supervisor asks whether the event loop turns.
process.on("message", () => process.send?.({ kind: "pong" }));
process.on("uncaughtException", (error) => fail(error));
process.on("unhandledRejection", (error) => fail(error));

const web = new WebProcess({ stateDirectory: values.state ?? "", address: parseAddress(values.web ?? ""), log });
process.on("SIGTERM", () => {
  web.stop();
  process.exit(0);
});
await web.start();

/** Our own fault: the supervisor starts a fresh process. */
function fail(error: unknown): void {
  log.error({ error: String(error), stack: error instanceof Error ? error.stack : undefined }, "web-failed");
  process.exit(1);
}
