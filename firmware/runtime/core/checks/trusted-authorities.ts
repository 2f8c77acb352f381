/** Whose certificates the box trusts: Debian's list, which update-ca-certificates(8) keeps; read again when it changes. */
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";

const LIST = "/etc/ssl/certs/ca-certificates.crt";

export class TrustedAuthorities {
  readonly #path: string;
  #changedAt: number | undefined;
  #context: SecureContext | undefined;

  constructor(path = LIST) {
    this.#path = path;
  }

  /** A box without a list of its own trusts those that Node brings. Undefined for a list that cannot be read. */
  context(): SecureContext | undefined {
    try {
      const changedAt = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs;
      if (this.#context === undefined || changedAt !== this.#changedAt) {
        const ca = changedAt === undefined ? [...rootCertificates] : readFileSync(this.#path);
        this.#context = createSecureContext({ ca });
        this.#changedAt = changedAt;
      }
      return this.#context;
    } catch (error) {
      // A file system's or OpenSSL's refusal; anything else is our own fault.
      if (!(error instanceof Error && "code" in error)) throw error;
      return undefined;
    }
  }
}
