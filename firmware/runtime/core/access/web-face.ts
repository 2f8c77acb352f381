/** What browsers are shown: the certificate, where the web process listens, and whether it is there at all. */
import { parseIpAddress } from "@futago/hal/units/address.ts";
import type { CertificateRecord } from "../../../access/records.ts";
import type { CertificateShown, WebAccess } from "../../control-access.ts";
import type { AccessBook } from "./access-book.ts";
import { certificateShown, fingerprintOf, readIdentity } from "./given-certificate.ts";
import { isToBeRenewed, makeOwnCertificate, type WebIdentity } from "./own-certificate.ts";
import { badCertificate } from "./refusals.ts";
import { Turns } from "../turns.ts";

export interface Listening {
  /** "0.0.0.0" and "::" are all of the box's. */
  readonly address: string;
  readonly port: number;
}

export interface WebFaceOptions {
  readonly book: AccessBook;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** By what browsers may come: host names, and addresses of both boxes and of the pair. */
  readonly names: () => { readonly hosts: readonly string[]; readonly addresses: readonly string[] };
  /** The box's own. */
  readonly ownAddresses: () => readonly string[];
  readonly claimCode: () => string | null;
  /** The box was started with --web. */
  readonly isWanted: boolean;
  readonly setAlarm: (sentence: string | undefined) => void;
  readonly onChange: () => void;
}

const AWAY_MILLIS = 10_000;
const RENEWAL_MILLIS = 3_600_000;
const AWAY =
  "the web UI does not run, although the box was started with --web; it is being started again, and `futago show log` and the lines of `futago run` tell why it ended";

export class WebFace {
  readonly #options: WebFaceOptions;
  readonly #turns = new Turns();
  #listening: Listening | undefined;
  #away: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(options: WebFaceOptions) {
    this.#options = options;
    if (!options.isWanted) return;
    this.#waitForIt();
    // Of a clock that was wrong when the box started, or of a box that runs for years.
    this.#renewal = setInterval(() => void this.#present(), RENEWAL_MILLIS);
    this.#renewal.unref();
  }

  get listening(): Listening | undefined {
    return this.#listening;
  }

  /** SHA-256 in hexadecimal; "" while there is no certificate. */
  get fingerprint(): string {
    const { certificate } = this.#options.book;
    return certificate === undefined ? "" : fingerprintOf(certificate.certificate);
  }

  async certificateShown(): Promise<CertificateShown> {
    return shownOf(await this.#present());
  }

  async identity(): Promise<WebIdentity> {
    const { certificate, key } = await this.#present();
    return { certificate, key };
  }

  async setCertificate(certificate: string, key: string): Promise<CertificateShown> {
    const read = readIdentity(certificate, key, this.#options.now());
    if (!read.ok) throw badCertificate(read.reason);
    return shownOf(await this.#put({ ...read.value, selfSigned: false }));
  }

  async newCertificate(): Promise<CertificateShown> {
    return shownOf(await this.#turns.take(() => this.#make()));
  }

  shown(): WebAccess {
    const { book, claimCode, isWanted } = this.#options;
    const { certificate } = book;
    return {
      urls: this.urls,
      certificate: certificate === undefined || !isWanted ? null : shownOf(certificate),
      claimCode: claimCode(),
      users: book.users.length,
    };
  }

  /** By the box's own addresses; none while nothing listens. */
  get urls(): readonly string[] {
    const listening = this.#listening;
    if (listening === undefined) return [];
    const { address, port } = listening;
    const isAll = address === "0.0.0.0" || address === "::";
    const all = this.#options.ownAddresses().filter((one) => address !== "0.0.0.0" || !one.includes(":"));
    const suffix = port === 443 ? "" : `:${port}`;
    const { hosts, addresses } = this.#options.names();
    // They become links on pages of the other box: the web process, which says it, cannot lead anybody elsewhere.
    const ours = [parseIpAddress(address) ?? address].filter((named) => [...hosts, ...addresses].includes(named));
    return (isAll ? all : ours).map((one) => `https://${one.includes(":") ? `[${one}]` : one}${suffix}/`);
  }

  listens(listening: Listening): void {
    clearTimeout(this.#away);
    this.#listening = listening;
    this.#options.setAlarm(undefined);
    this.#options.onChange();
  }

  /** Its last connection has ended, and with it the process, as far as core can know. */
  left(): void {
    this.#listening = undefined;
    this.#options.onChange();
    this.#waitForIt();
  }

  close(): void {
    clearTimeout(this.#away);
    clearInterval(this.#renewal);
  }

  #waitForIt(): void {
    clearTimeout(this.#away);
    if (!this.#options.isWanted) return;
    this.#away = setTimeout(() => this.#options.setAlarm(AWAY), AWAY_MILLIS);
    this.#away.unref();
  }

  /** Made where there is none, and again before one that a box made itself ends. */
  #present(): Promise<CertificateRecord> {
    return this.#turns.take(async () => {
      const present = this.#options.book.certificate;
      if (present === undefined) return this.#make();
      const isOld = present.selfSigned && isToBeRenewed(Date.parse(shownOf(present).notAfter), this.#options.now());
      return isOld ? this.#make() : present;
    });
  }

  async #make(): Promise<CertificateRecord> {
    const identity = await makeOwnCertificate(this.#options.names(), this.#options.now());
    return this.#put({ ...identity, selfSigned: true });
  }

  async #put(identity: WebIdentity & { readonly selfSigned: boolean }): Promise<CertificateRecord> {
    const { book } = this.#options;
    const record: CertificateRecord = { kind: "certificate", version: book.nextVersion("certificate"), ...identity };
    await book.put(record);
    return record;
  }
}

function shownOf({ certificate, selfSigned }: CertificateRecord): CertificateShown {
  return certificateShown(certificate, selfSigned);
}
