/** The web servers: real nginx, one per host, that can be killed and started again. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Namespace } from "../netns/namespaces.ts";
import { listensOn, type ProcessInfo, processesIn, signalAll } from "./processes.ts";
import type { ServerName } from "./scenario.ts";

const LISTEN_MILLIS_MAX = 5_000;
const POLL_MILLIS = 20;

export interface WebServerOptions {
  readonly name: ServerName;
  /** The host it runs on; undefined while that has no power. */
  readonly host: () => Namespace | undefined;
  /** Where it listens, as nginx's directive says it. */
  readonly listen: readonly string[];
  /** The port by which one sees that it listens; left out, 80. */
  readonly port?: number;
  /** The lab's directory. */
  readonly directory: string;
}

export class WebServer {
  readonly name: ServerName;
  readonly #host: WebServerOptions["host"];
  readonly #port: number;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor({ name, host, listen, port = 80, directory }: WebServerOptions) {
    this.name = name;
    this.#port = port;
    this.#host = host;
    this.#directory = join(directory, `web-${name}`);
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(join(this.#directory, "index.html"), `${name}\n`);
    writeFileSync(join(this.#directory, "nginx.conf"), nginxConfiguration(name, listen, this.#directory));
  }

  get alive(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const host = this.#host();
    if (host === undefined) throw new Error(`the host of web server ${this.name} has no power`);
    if (this.alive) throw new Error(`web server ${this.name} runs already`);
    const argv = ["nginx", "-p", this.#directory, "-c", "nginx.conf", "-e", "stderr"];
    const child = host.spawn(argv, { stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr?.on("data", (text: Buffer) => (errors += text.toString()));
    this.#process = child;
    const deadline = Date.now() + LISTEN_MILLIS_MAX;
    while (!listensOn(child.pid, this.#port)) {
      if (!this.alive || Date.now() > deadline)
        throw new Error(`nginx on ${this.name} does not listen: ${errors.trim()}`);
      await wait(POLL_MILLIS);
    }
  }

  /** kill -9 of the server and its workers, as when the machine runs out of memory. */
  async kill(): Promise<void> {
    const host = this.#host();
    if (host === undefined) return;
    signalAll(
      processesIn(host.path)
        .filter(isWebServer)
        .map((found) => found.pid),
      "SIGKILL",
    );
    await this.ended();
  }

  /** Resolves when it runs no more. */
  async ended(): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.alive) return;
    await new Promise((resolve) => child.once("exit", resolve));
  }
}

export function isWebServer({ command }: ProcessInfo): boolean {
  return command.startsWith("nginx");
}

/** One worker, nothing logged per request, connections kept alive for as long as anybody wants. */
function nginxConfiguration(name: ServerName, listen: readonly string[], directory: string): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
user root;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  default_type text/plain;
  keepalive_timeout 1h;
  keepalive_requests 100000000;
${paths.map((path) => `  ${path}_temp_path ${directory}/${path};`).join("\n")}
  server {
${listen.map((where) => `    listen ${where} backlog=4096;`).join("\n")}
    root ${directory};
    add_header X-Server ${name};
  }
}
`;
}
