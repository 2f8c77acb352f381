/**
 * The updater of a box as it is, on slots that are files: what RAUC and the loader would do is done by hand. A bundle is the head
 * that every bundle has, and what it says of itself as JSON.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ok, refuse } from "@futago/hal/units/result.ts";
import { type BootState, defaultBootState } from "@futago/firmware/update/boot-state.ts";
import type { Slot } from "@futago/firmware/update/boot-state.ts";
import { type BundleFacts, readRefusal } from "@futago/firmware/update/bundle.ts";
import { type Slots, Updater } from "@futago/firmware/runtime/update/updater.ts";
import { UpdaterServer } from "@futago/firmware/runtime/update/updater-server.ts";

const HEAD = "hsqs";
const FOREVER_MILLIS = 3_600_000;

/** A bundle of so many bytes. */
export function writeBundle(path: string, facts: BundleFacts, bytes = 4_096): void {
  const whole = Buffer.alloc(bytes);
  whole.write(`${HEAD}${JSON.stringify(facts)}\n`);
  writeFileSync(path, whole);
}

function factsIn(path: string): BundleFacts | undefined {
  const [line = ""] = readFileSync(path).subarray(HEAD.length, 1_024).toString("latin1").split("\n");
  try {
    return JSON.parse(line) as BundleFacts;
  } catch {
    return undefined;
  }
}

export class TestSlots {
  readonly socket: string;
  readonly #directory: string;
  readonly #server: UpdaterServer;
  #state: BootState = defaultBootState;
  #running: Slot = "a";
  #image = { version: "0.7.0", time: "2026-11-30T00:00:00Z", architecture: "amd64" };
  #goOn: (() => void) | undefined;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.socket = join(directory, "updater.sock");
    this.#server = new UpdaterServer({
      updater: new Updater(this.#slots()),
      listen: { path: this.socket },
      idleMillis: FOREVER_MILLIS,
      onIdle: () => undefined,
      onFault: (_, error) => {
        throw error;
      },
    });
  }

  /** An installation waits half-way for that. */
  goOn(): void {
    this.#goOn?.();
  }

  /** What the loader and the first file system do: the slot that is first runs. */
  boot(): void {
    const { primary } = this.#state;
    this.#running = primary;
    const facts = factsIn(this.#fileOf(primary));
    if (facts !== undefined) this.#image = { ...this.#image, version: facts.version, time: facts.time };
  }

  close(): void {
    this.#server.close();
  }

  #fileOf(slot: Slot): string {
    return join(this.#directory, `slot-${slot}`);
  }

  #slots(): Slots {
    const slots = {
      store: {
        read: () => ({ state: this.#state, from: "bs0" as const, isWhole: true }),
        write: (state: BootState) => {
          this.#state = state;
          return [];
        },
      },
      record: join(this.#directory, "slots.json"),
      inspect: (file: string) => {
        const facts = factsIn(file);
        return Promise.resolve(facts === undefined ? refuse(readRefusal("Verify error")) : ok(facts));
      },
      install: async (file: string, onProgress: (percent: number, doing: string) => void) => {
        onProgress(40, "Copying image");
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
        });
        copyFileSync(file, this.#fileOf(this.#running === "a" ? "b" : "a"));
        onProgress(100, "Copying image");
        return undefined;
      },
      health: () => Promise.resolve({ verity: "good" as const, failedUnits: [] }),
    };
    return Object.defineProperties(slots, {
      running: { get: () => this.#running },
      image: { get: () => this.#image },
    }) as typeof slots & Pick<Slots, "running" | "image">;
  }
}
