/**
 * Lets large bodies in: only from whom core knows with that right, and a few at a time, so that nobody fills this
 * process's memory with what is refused afterwards.
 */
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { CoreClient } from "../client/control.ts";
import { askerOf } from "./credential.ts";
import { demand } from "./exchange.ts";
import type { Route } from "./route.ts";

const AT_A_TIME = 3;
const WAIT_SECONDS = 5;

export class LargeBodies {
  #open = 0;

  /** Before the body is read. Throws RefusalError. */
  async letIn(core: CoreClient, route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { scope } = route;
    if (scope === "public" || scope === "session") return;
    await demand({ core, asker: askerOf(request) }, scope);
    if (this.#open >= AT_A_TIME) {
      throw new RefusalError({
        exitCode: ExitCode.failed,
        what: `${AT_A_TIME} large requests are under way already`,
        mend: "Wait as long as Retry-After says.",
        reason: "tooManyRequests",
        parameters: { seconds: WAIT_SECONDS },
      });
    }
    this.#open += 1;
    reply.raw.once("close", () => {
      this.#open -= 1;
    });
  }
}
