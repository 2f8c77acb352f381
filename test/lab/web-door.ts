/**
 * A door from the machine to the web UI of a box: a port on a loopback address of the machine. Each connection is handed,
 * as a socket, to a process in the box's namespace, which carries it on; a box without power has none, and the door
 * stays. Each box has an address of its own, or a browser would send the cookies of one to the other.
 */
import type { ChildProcess } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../netns/namespaces.ts";
import { type Box, WEB_PORT } from "./topology.ts";

const CHILD = fileURLToPath(new URL("web-door-child.ts", import.meta.url));
export const DOOR_PROCESS = /test\/lab\/web-door-child\.ts/;
const ADDRESSES: Readonly<Record<Box, string>> = { a: "127.0.0.1", b: "127.0.0.2" };

export class WebDoor {
  readonly url: string;
  readonly #server: Server;
  readonly #namespace: () => Namespace | undefined;
  #inside: { readonly namespace: Namespace; readonly child: ChildProcess } | undefined;

  private constructor(server: Server, address: string, namespace: () => Namespace | undefined) {
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    this.url = `https://${address}:${port}/`;
    this.#server = server;
    this.#namespace = namespace;
    // Before anybody is there to hear, nothing is read: what comes belongs to the other end.
    server.on("connection", (socket) => this.#carryOn(socket));
  }

  /** On the web UI's own port, or any other where that is taken. `namespace` is undefined while the box has no power. */
  static async open(box: Box, namespace: () => Namespace | undefined): Promise<WebDoor> {
    const address = ADDRESSES[box];
    const server = (await listening(address, WEB_PORT)) ?? (await listening(address, 0));
    if (server === undefined) throw new Error(`no port to be had on ${address}`);
    return new WebDoor(server, address, namespace);
  }

  /** The box's namespace goes. */
  leave(): void {
    this.#inside?.child.kill("SIGKILL");
    this.#inside = undefined;
  }

  close(): void {
    this.leave();
    this.#server.close();
  }

  #carryOn(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    const child = this.#child();
    if (child?.connected !== true) socket.destroy();
    else child.send("carry on", socket);
  }

  #child(): ChildProcess | undefined {
    const namespace = this.#namespace();
    if (namespace === undefined) return undefined;
    if (this.#inside?.namespace === namespace && this.#inside.child.connected) return this.#inside.child;
    this.leave();
    const child = namespace.spawn([process.execPath, CHILD], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    // A box whose power was cut takes it along.
    child.on("error", () => undefined);
    child.unref();
    child.channel?.unref();
    this.#inside = { namespace, child };
    return child;
  }
}

function listening(address: string, port: number): Promise<Server | undefined> {
  const server = createServer({ pauseOnConnect: true });
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ host: address, port }, () => resolve(server));
    server.unref();
  });
}
