/** The two sockets on which core answers, root's and the web process's, and what the console shows unasked. What is published goes to the watchers of both. */
import { join } from "node:path";
import type { AccessRoom } from "../access/access-room.ts";
import { rootGate, webGate } from "../access/gate.ts";
import { makeWebDirectory, webUser } from "../access/web-user.ts";
import type { BoxStatus, ControlStream } from "../../control.ts";
import type { JsonInPieces } from "../../json-pieces.ts";
import { keepBanner } from "./banner-file.ts";
import { ControlServer, type ControlServerOptions } from "./control-server.ts";

export interface ControlSocketsOptions extends Pick<ControlServerOptions, "handlers" | "begun" | "onFault"> {
  readonly stateDirectory: string;
  readonly access: AccessRoom;
  /** The box was started with --web. */
  readonly isWebWanted: boolean;
  /** Throws RefusalError. */
  readonly firstStatus: (query: unknown) => JsonInPieces;
}

export class ControlSockets {
  readonly #servers: readonly ControlServer[];
  readonly #endBanner: () => void;

  private constructor(servers: readonly ControlServer[], endBanner: () => void) {
    this.#servers = servers;
    this.#endBanner = endBanner;
  }

  static async open(options: ControlSocketsOptions): Promise<ControlSockets> {
    const { stateDirectory, access, isWebWanted, firstStatus } = options;
    const first = (stream: ControlStream, query: unknown) => {
      if (stream === "watchStatus") return [firstStatus(query)];
      return stream === "watchAccess" ? [access.event] : [];
    };
    const root = { ...options, first, path: join(stateDirectory, "control.sock"), gate: rootGate(access.gate) };
    const servers = [await ControlServer.open(root)];
    if (isWebWanted) servers.push(...(await openWeb(options, first)));
    const endBanner = keepBanner(process.env["RUNTIME_DIRECTORY"], {
      status: () => JSON.parse([...firstStatus({ services: [] }).pieces].join("")) as BoxStatus,
      web: () => access.web.shown(),
      onFault: (error) => options.onFault("banner", error),
    });
    return new ControlSockets(servers, endBanner);
  }

  get watched(): boolean {
    return this.#servers.some((server) => server.watched);
  }

  publish(stream: ControlStream, event: unknown): void {
    for (const server of this.#servers) server.publish(stream, event);
  }

  /** Resolves when it was sent. */
  async publishInPieces(stream: ControlStream, event: (query: unknown) => JsonInPieces): Promise<void> {
    for (const server of this.#servers) await server.publishInPieces(stream, event);
  }

  close(): void {
    this.#endBanner();
    for (const server of this.#servers) server.close();
  }
}

/** The web process's; none where it cannot be made. */
async function openWeb(
  options: ControlSocketsOptions,
  first: ControlServerOptions["first"],
): Promise<readonly ControlServer[]> {
  const { stateDirectory, access, onFault } = options;
  const owner = webUser();
  try {
    const web = await ControlServer.open({
      ...options,
      first,
      owner,
      path: join(makeWebDirectory(stateDirectory, owner), "core.sock"),
      made: join(stateDirectory, "web-core.sock"),
      gate: webGate(access.gate),
      onDeserted: () => access.web.left(),
    });
    return [web];
  } catch (error) {
    onFault("web/core.sock", error);
    // The box does all else without a web UI, of whose absence an alarm tells.
    return [];
  }
}
