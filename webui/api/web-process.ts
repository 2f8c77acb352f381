/**
 * The web process: loads everything, binds its port, and gives its rights away. After that it speaks to browsers and to
 * core, and touches nothing else.
 */
import { readFileSync } from "node:fs";
import type { Server } from "node:https";
import { fileURLToPath } from "node:url";
import type { AccessEvent } from "@futago/firmware/runtime/control-access.ts";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import { RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { Logger } from "pino";
import { CoreClient } from "../client/control.ts";
import type { ListenAddress } from "./address.ts";
import { dropRights, enterPlace, readWebUser } from "./drop.ts";
import { createListener, listenOn, wear } from "./listener.ts";
import { Live, originsOf } from "./live.ts";
import { readPages } from "./pages.ts";
import { ROUTES } from "./routes.ts";
import { buildServer } from "./server.ts";

const RETRY_MILLIS = 1_000;
const ORIGINS_MILLIS = 5_000;
/** After that it listens all the same: that core is away is told by whoever can. */
const IDENTITY_MILLIS_MAX = 10_000;

export interface WebProcessOptions {
  readonly stateDirectory: string;
  readonly address: ListenAddress;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

export class WebProcess {
  readonly #options: WebProcessOptions;
  readonly #core: CoreClient;
  readonly #live: Live;
  readonly #user = readWebUser();
  #server: Server | undefined;
  #isListening = false;
  /** The fingerprint of the certificate that browsers see. */
  #worn = "";
  readonly #dressed = Promise.withResolvers<void>();

  /** Enters the place from which core's socket is reached. */
  constructor(options: WebProcessOptions) {
    this.#options = options;
    enterPlace(options.stateDirectory, this.#user);
    this.#core = new CoreClient({ path: "core.sock", onLink: (up) => this.#onLink(up) });
    this.#live = new Live({ core: this.#core, onAccess: (event) => this.#onAccess(event) });
  }

  async start(): Promise<void> {
    const { log, address } = this.#options;
    const pages = readPages(fileURLToPath(new URL("../build", import.meta.url)));
    await buildServer({
      core: this.#core,
      live: this.#live,
      pages,
      routes: ROUTES,
      version: versionOf(),
      listener: (handler) => (this.#server = createListener(handler)),
      origins: () => this.#origins(),
      onFault: (route, error) => log.error({ route, error: String(error), stack: (error as Error).stack }, "web-fault"),
    });
    // A handshake without a certificate would fail, and look like a broken box.
    await Promise.race([this.#dressed.promise, new Promise((resolve) => setTimeout(resolve, IDENTITY_MILLIS_MAX))]);
    await this.#bind();
    dropRights(this.#user);
    this.#isListening = true;
    this.#tellCore();
    log.info({ ...address, user: this.#user.uid, pages: pages.index !== undefined }, "web-listening");
  }

  stop(): void {
    this.#live.close();
    this.#core.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  /** Somebody else has the port, or the address is not there yet: the box goes on, and so does this. */
  async #bind(): Promise<void> {
    const { log, address } = this.#options;
    if (this.#server === undefined) throw new Error("there is no server");
    let told = "";
    for (;;) {
      const error = await listenOn(this.#server, address.host, address.port);
      if (error === undefined) return;
      if (error.message !== told) log.warn({ ...address, error: error.message }, "web-not-listening");
      told = error.message;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
    }
  }

  /** A page is told of the other box while core is there to tell. */
  async #origins(): Promise<readonly string[]> {
    if (!this.#core.isUp) return [];
    try {
      const boxes = JSON.parse(await this.#live.boxesWithin(ORIGINS_MILLIS)) as BoxesShown;
      return originsOf(boxes, this.#options.address.port);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      // Core went away meanwhile: the page comes without.
      return [];
    }
  }

  #onLink(up: boolean): void {
    this.#live.onLink(up);
    if (up && this.#isListening) this.#tellCore();
  }

  /** Until it is told core has an alarm. */
  #tellCore(): void {
    const { host, port } = this.#options.address;
    this.#core
      .ask("webListens", { address: host, port })
      .catch((error: unknown) => this.#logRefusal("webListens", error));
  }

  #onAccess({ fingerprint }: AccessEvent): void {
    if (fingerprint === this.#worn || fingerprint === "") return;
    void this.#wear(fingerprint);
  }

  /** The key stays in this process's memory, and in core's store. */
  async #wear(fingerprint: string): Promise<void> {
    try {
      const identity = await this.#core.ask("webIdentity", {});
      if (this.#server === undefined) return;
      wear(this.#server, identity);
      this.#worn = fingerprint;
      this.#dressed.resolve();
      this.#options.log.info({ fingerprint }, "web-certificate");
    } catch (error) {
      this.#logRefusal("webIdentity", error);
      setTimeout(() => void this.#wear(fingerprint), RETRY_MILLIS).unref();
    }
  }

  #logRefusal(method: string, error: unknown): void {
    if (!(error instanceof RefusalError)) throw error;
    this.#options.log.warn({ method, sentence: error.refusal.what }, "web-core-refused");
  }
}

function versionOf(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
