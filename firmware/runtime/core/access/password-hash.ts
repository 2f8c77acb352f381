/** Passwords as argon2id keeps them. One at a time, so that a flood of attempts takes the memory of one and a bounded time. */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

/** Of OWASP's cheat sheet for passwords: 19 MiB, twice. */
const MEMORY_KIBIBYTES = 19_456;
const PASSES = 2;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const WAITING_MAX = 16;
/** What a peer or a backup file may make this box compute. */
const MEMORY_KIBIBYTES_MAX = 65_536;
const PASSES_MAX = 8;

const FORM = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

interface Kept {
  readonly memory: number;
  readonly passes: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

export class PasswordHash {
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** So many wait that nothing more is to be asked; half of the places are kept for whoever signed in here before. */
  isCrowded(isFamiliar: boolean): boolean {
    return this.#waiting >= (isFamiliar ? WAITING_MAX : WAITING_MAX / 2);
  }

  /** As it is kept: "$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG". */
  async make(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const tag = await this.#compute(password, { memory: MEMORY_KIBIBYTES, passes: PASSES, salt });
    return `$argon2id$v=19$m=${MEMORY_KIBIBYTES},t=${PASSES},p=1$${base64(salt)}$${base64(tag)}`;
  }

  /** Nobody's password takes as long as somebody's wrong one. */
  async isRight(password: string, hash: string | undefined): Promise<boolean> {
    const kept = hash === undefined ? undefined : read(hash);
    const salt = kept?.salt ?? randomBytes(SALT_BYTES);
    const { memory, passes } = kept ?? { memory: MEMORY_KIBIBYTES, passes: PASSES };
    const tag = await this.#compute(password, { memory, passes, salt });
    return kept !== undefined && timingSafeEqual(tag, kept.tag);
  }

  #compute(password: string, { memory, passes, salt }: Omit<Kept, "tag">): Promise<Buffer> {
    this.#waiting++;
    const parameters = { message: password.normalize("NFC"), nonce: salt, parallelism: 1, tagLength: TAG_BYTES };
    const result = this.#turn.then(
      () =>
        new Promise<Buffer>((resolve, reject) => {
          argon2("argon2id", { ...parameters, memory, passes }, (error, tag) => {
            if (error === null) resolve(tag);
            else reject(error);
          });
        }),
    );
    this.#turn = result.catch(() => undefined).then(() => void this.#waiting--);
    return result;
  }
}

export function isPasswordHash(value: unknown): value is string {
  return typeof value === "string" && read(value) !== undefined;
}

function read(hash: string): Kept | undefined {
  const [, memory = "", passes = "", salt = "", tag = ""] = FORM.exec(hash) ?? [];
  const kept = {
    memory: Number(memory),
    passes: Number(passes),
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
  const isBounded =
    kept.memory >= 8 && kept.memory <= MEMORY_KIBIBYTES_MAX && kept.passes >= 1 && kept.passes <= PASSES_MAX;
  return isBounded && kept.salt.length === SALT_BYTES && kept.tag.length === TAG_BYTES ? kept : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
