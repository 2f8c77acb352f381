/**
 * Keeps `configuration.json`, the copy beside the database, up to date: some time after each change, off its way. A
 * reader finds the copy before or the copy after, whenever the power goes.
 */
import { readFileSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Copy, decodeCopy, encodeCopy } from "./copy.ts";
import { COPY_FILE } from "../state-files.ts";
import { refusalOf, type StoreRefusal } from "./refusal.ts";
import { Upkeep } from "./upkeep.ts";

/** Undefined when there is none, or none that can be read. */
export function readCopy(directory: string): Copy | undefined {
  try {
    return decodeCopy(readFileSync(join(directory, COPY_FILE), "utf8"));
  } catch (error) {
    if (refusalOf(error, directory) === undefined) throw error;
    return undefined;
  }
}

export class CopyFile {
  readonly #directory: string;
  readonly #source: () => Copy | undefined;
  readonly #onTrouble: (trouble: StoreRefusal | undefined) => void;
  readonly #upkeep: Upkeep;
  #writing: Promise<void> = Promise.resolve();
  #due = false;

  /** `onTrouble` is told when the copy could not be written, and with undefined when it could be again. */
  constructor(
    directory: string,
    source: () => Copy | undefined,
    onTrouble: (trouble: StoreRefusal | undefined) => void,
  ) {
    this.#directory = directory;
    this.#source = source;
    this.#onTrouble = onTrouble;
    this.#upkeep = new Upkeep(() => {
      void this.write();
      return false;
    });
  }

  /** What is in the copy changed. */
  soon(): void {
    this.#due = true;
    this.#upkeep.soon();
  }

  /** Writes it now, if it is due; resolves when it is on the disk, or refused. */
  write(): Promise<void> {
    this.#upkeep.stop();
    if (this.#due) this.#writing = this.#writing.then(() => this.#writeOnce());
    this.#due = false;
    return this.#writing;
  }

  /** Takes it away before the head is forgotten: a box that finds no head believes the copy. Throws what the disk says. */
  drop(): Promise<void> {
    this.#upkeep.stop();
    this.#due = false;
    const dropped = this.#dropAfter(this.#writing);
    this.#writing = settled(dropped);
    return dropped;
  }

  async #dropAfter(writing: Promise<void>): Promise<void> {
    await writing;
    await rm(join(this.#directory, COPY_FILE), { force: true });
    await syncDirectory(this.#directory);
  }

  async #writeOnce(): Promise<void> {
    const path = join(this.#directory, COPY_FILE);
    try {
      const copy = this.#source();
      const text = copy === undefined ? undefined : encodeCopy(copy);
      if (text === undefined) await rm(path, { force: true });
      else if (text !== (await present(path))) await replace(this.#directory, path, text);
      this.#onTrouble(undefined);
    } catch (error) {
      const refused = refusalOf(error, path);
      if (refused === undefined) throw error;
      this.#onTrouble(refused);
    }
  }
}

async function settled(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch {
    // Whoever asked for it hears of it.
  }
}

async function present(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Whatever cannot be read is to be written anew.
    return undefined;
  }
}

async function replace(directory: string, path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncDirectory(directory);
}

async function syncDirectory(directory: string): Promise<void> {
  const entries = await open(directory, "r");
  try {
    await entries.sync();
  } finally {
    await entries.close();
  }
}
