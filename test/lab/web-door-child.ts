/**
 * Runs in a box's network namespace: joins each connection that comes over the channel to the web UI there. Ends when the
 * channel does.
 */
import { connect, type Socket } from "node:net";
import { WEB_PORT } from "./topology.ts";

process.on("message", (_, handle) => {
  const outside = handle as Socket | undefined;
  if (outside === undefined) return;
  const inside = connect({ host: "127.0.0.1", port: WEB_PORT });
  for (const [from, to] of [
    [outside, inside],
    [inside, outside],
  ] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
});
process.on("disconnect", () => process.exit());
