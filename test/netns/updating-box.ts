/**
 * The two slots of each box of a pair, in files and in memory: the real updater beside the real box, with a loader that does
 * what ours does. Who reboots is started again from the slot that the loader takes.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "@futago/firmware/cli/client.ts";
import type { PairUpdateShown, UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import { type BootState, defaultBootState, type Slot } from "@futago/firmware/update/boot-state.ts";
import { loaderBoots } from "@futago/firmware/update/boot-steps.ts";
import type { BundleFacts } from "@futago/firmware/update/bundle.ts";
import { Updater } from "@futago/firmware/runtime/update/updater.ts";
import { UpdaterServer } from "@futago/firmware/runtime/update/updater-server.ts";
import { ok } from "@futago/hal/units/result.ts";
import { processesIn, signalAll } from "../lab/processes.ts";
import type { Box } from "../lab/topology.ts";
import { type Document, type Pair, pause } from "./pair-fixture.ts";

export interface Version {
  readonly version: string;
  /** It does not come up at all. */
  readonly isDead?: boolean;
  /** Units that have failed. */
  readonly failedUnits?: readonly string[];
  /** A table for nft that breaks what it serves, in its box's namespace. */
  readonly breaks?: string;
}

const IMAGE = { time: "2026-11-30T00:00:00Z", architecture: "amd64" };
const WAIT_MILLIS = 120_000;
/** As long as many pieces over the link. */
const BUNDLE_BYTES = 3 << 20;

export function writeBundle(path: string, version: Version, more: Partial<BundleFacts> = {}): string {
  const facts = { ...version, compatible: "futago-amd64", time: IMAGE.time, ...more };
  writeFileSync(path, `${JSON.stringify(facts)}\n`.padEnd(BUNDLE_BYTES, "futago "));
  return path;
}

function readBundle(path: string): BundleFacts & Version {
  return JSON.parse(readFileSync(path, "utf8").split("\n")[0] ?? "") as BundleFacts & Version;
}

export class UpdatingBox {
  readonly name: Box;
  readonly #pair: Pair;
  readonly #pace: string;
  readonly #document: Document;
  readonly #slots: Record<Slot, Version>;
  #boot: BootState = defaultBootState;
  #running: Slot = "a";
  #server: UpdaterServer | undefined;
  #isOver = false;
  #starts = 0;

  constructor(pair: Pair, name: Box, document: Document, pace: string, first: Version) {
    this.#pair = pair;
    this.name = name;
    this.#document = document;
    this.#pace = pace;
    this.#slots = { a: first, b: first };
  }

  get version(): string {
    return this.#slots[this.#running].version;
  }

  /** From the slot that the loader takes; resolves when the box is ready. */
  async start(): Promise<void> {
    this.#load();
    const { files } = this.#pair;
    const directory = files.state(this.name);
    const socket = join(files.directory, `updater-${this.name}.sock`);
    rmSync(socket, { force: true });
    this.#server = this.#serve(socket);
    await this.#break(this.#slots[this.#running].breaks);
    const power = files.file(`power-${this.name}`, "#!/bin/sh\nexit 0\n");
    chmodSync(power, 0o755);
    const first = this.#starts++ === 0;
    const imports = first ? ["--import", files.document(`${this.name}.json`, this.#document)] : [];
    mkdirSync(directory, { recursive: true });
    const more = ["--updater", socket, "--update-pace", this.#pace, "--power", power];
    const box = await this.#pair.startBox(this.name, [...imports, ...more]);
    void box.ended().then(({ code, stdout }) => {
      this.#server?.close();
      if (code === 0 && stdout.includes('{"event":"reboot"}') && !this.#isOver) return this.start();
      return undefined;
    });
  }

  /** No power, in the middle of whatever it does. */
  async die(): Promise<void> {
    const dead = this.#pair.box(this.name).ended();
    signalAll(
      processesIn(this.#pair.hosts[this.name].path).map(({ pid }) => pid),
      "SIGKILL",
    );
    await dead;
  }

  close(): void {
    this.#isOver = true;
    this.#server?.close();
  }

  async shown(): Promise<UpdateShown | undefined> {
    try {
      return await ask(this.#pair.files.state(this.name), "updateStatus", {});
    } catch {
      // It starts.
      return undefined;
    }
  }

  /** Waits for what is shown of the pair's update here. */
  async until(what: string, holds: (pair: PairUpdateShown) => boolean): Promise<PairUpdateShown> {
    const { pair } = await this.#until(what, ({ pair: seen }) => seen !== null && holds(seen));
    if (pair === null) throw new TypeError("what was waited for was not shown");
    return pair;
  }

  /** Both boxes' versions were found good, as this one knows. */
  async proven(): Promise<void> {
    await this.#until("two good versions", ({ proof, peer }) => proof.state === "good" && peer?.proof === "good");
  }

  async #until(what: string, holds: (shown: UpdateShown) => boolean): Promise<UpdateShown> {
    let seen: UpdateShown | undefined;
    for (const end = performance.now() + WAIT_MILLIS; performance.now() < end; await pause(50)) {
      const shown = await this.shown();
      if (shown !== undefined) seen = shown;
      if (shown !== undefined && holds(shown)) return shown;
    }
    throw new Error(`${this.name}: ${what} did not come true: ${JSON.stringify(seen, undefined, 1)}`);
  }

  #load(): void {
    for (;;) {
      const boot = loaderBoots(this.#boot);
      if (boot.slot === undefined) throw new Error(`box ${this.name} has no slot to boot`);
      this.#boot = boot.saved;
      this.#running = boot.slot;
      if (this.#slots[boot.slot].isDead !== true) return;
    }
  }

  #serve(path: string): UpdaterServer {
    const running = this.#running;
    const updater = new Updater({
      image: { ...IMAGE, version: this.version },
      running,
      store: {
        read: () => ({ state: this.#boot, from: "bs0", isWhole: true }),
        write: (state) => {
          this.#boot = state;
          return [];
        },
      },
      record: join(this.#pair.files.directory, `slots-${this.name}.json`),
      inspect: (file) => Promise.resolve(ok(readBundle(file))),
      install: async (file, onProgress) => {
        for (const percent of [10, 50, 90]) {
          onProgress(percent, "writing");
          await pause(200);
        }
        if (!existsSync(file)) throw new Error("the bundle went while it was installed");
        this.#slots[running === "a" ? "b" : "a"] = readBundle(file);
        return undefined;
      },
      health: () => Promise.resolve({ verity: "good" as const, failedUnits: this.#slots[running].failedUnits ?? [] }),
    });
    return new UpdaterServer({
      updater,
      listen: { path },
      idleMillis: 3_600_000,
      onIdle: () => undefined,
      onFault: (method, error) => console.error(this.name, method, error),
    });
  }

  async #break(breaks: string | undefined): Promise<void> {
    const host = this.#pair.hosts[this.name];
    const table = breaks === undefined ? "" : `table inet broken {\n${breaks}\n}\n`;
    const input = `table inet broken\ndelete table inet broken\n${table}`;
    await host.run(["nft", "-f", "-"], { input });
  }
}
