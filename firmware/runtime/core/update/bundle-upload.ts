/**
 * A bundle that comes in pieces, onto the disk and never into memory: one at a time, of a length told first, for which there is
 * room. A part of one that nobody goes on with is removed, and at a start whatever is there.
 */
import { type FileHandle, mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { fileTrouble } from "../../files.ts";

export const BUNDLE_BYTES_MAX = 512 << 20;
/** What the box itself must always be able to write. */
const ROOM_KEPT_BYTES = 64 << 20;
const IDLE_MILLIS = 300_000;
const FILE = "bundle.raucb";

interface Upload {
  readonly id: number;
  readonly length: number;
  readonly file: FileHandle;
  received: number;
}

export class BundleUpload {
  readonly #directory: string;
  readonly #idleMillis: number;
  #upload: Upload | undefined;
  #idle: NodeJS.Timeout | undefined;
  #ids = 0;
  #cleared: Promise<void>;

  constructor(stateDirectory: string, idleMillis = IDLE_MILLIS) {
    this.#directory = join(stateDirectory, "upload");
    this.#idleMillis = idleMillis;
    this.#cleared = rm(this.#directory, { recursive: true, force: true });
  }

  get path(): string {
    return join(this.#directory, FILE);
  }

  /** Takes the place of one that is not whole. Resolves to its name. */
  async begin(length: number): Promise<number> {
    await this.#cleared;
    if (length <= 0 || length > BUNDLE_BYTES_MAX) {
      throw refusal("tooLong", `a bundle has up to ${BUNDLE_BYTES_MAX >> 20} MiB, and this one says ${length} bytes`);
    }
    await this.forget();
    return saying(async () => {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const { bavail, bsize } = await statfs(this.#directory);
      const free = bavail * bsize - ROOM_KEPT_BYTES;
      if (free < length) {
        const [needed, there] = [length, Math.max(0, free)].map((bytes) => Math.ceil(bytes / 2 ** 20));
        throw refusal("noRoom", `the bundle needs ${needed} MiB on the disk, and ${there} MiB are free`);
      }
      const file = await open(this.path, "w", 0o600);
      this.#upload = { id: ++this.#ids, length, file, received: 0 };
      this.#wait();
      return this.#ids;
    });
  }

  /** The next piece; resolves to how much of it is there. */
  async take(id: number, offset: number, bytes: Uint8Array): Promise<number> {
    const upload = this.#named(id);
    if (offset !== upload.received || offset + bytes.length > upload.length) {
      await this.forget();
      throw refusal(
        "outOfOrder",
        `the bundle's bytes from ${upload.received} on were due, and bytes from ${offset} came`,
      );
    }
    // Told before it is written: a second piece of the same offset is refused, and not written over the first.
    upload.received += bytes.length;
    this.#wait();
    await saying(async () => void (await upload.file.write(bytes, 0, bytes.length, offset)));
    return upload.received;
  }

  /** The path of a bundle that is there whole. It stays until it is forgotten, or another one begins. */
  async end(id: number): Promise<string> {
    const upload = this.#named(id);
    clearTimeout(this.#idle);
    if (upload.received !== upload.length) {
      await this.forget();
      throw refusal("incomplete", `${upload.received} of the bundle's ${upload.length} bytes have come`);
    }
    this.#upload = undefined;
    await saying(async () => {
      await upload.file.sync();
      await upload.file.close();
    });
    return this.path;
  }

  async forget(): Promise<void> {
    clearTimeout(this.#idle);
    const upload = this.#upload;
    this.#upload = undefined;
    await upload?.file.close();
    await rm(this.path, { force: true });
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#upload?.file.close();
    this.#upload = undefined;
  }

  #named(id: number): Upload {
    if (this.#upload?.id === id) return this.#upload;
    throw refusal("noUpload", "there is no such upload: another one has taken its place, or nobody went on with it");
  }

  #wait(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.forget(), this.#idleMillis).unref();
  }
}

const MEND = "Send the bundle again, from its beginning.";

function refusal(reason: string, what: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, reason, what, mend: MEND });
}

/** In words what the disk refused. */
async function saying<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    throw refusal("disk", `the disk does not take the bundle: ${fileTrouble(error)}`);
  }
}
