/** Who comes in: passwords, the code that claims a box, sessions, tickets and tokens, and who has tried too often. */
import { randomBytes } from "node:crypto";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { isName, passwordRefusal } from "../../../access/rules.ts";
import type { SessionRecord, UserRecord } from "../../../access/records.ts";
import { CLAIM_RANDOM_BYTES, makeClaimCode, readClaimCode } from "../../../access/claim-code.ts";
import { type Attempt, initialLockout, sourceOf, stepLockout } from "../../../access/lockout.ts";
import { SCOPES_OF } from "../../../access/scopes.ts";
import { ABSOLUTE_MILLIS_MAX, isTokenGood, sessionEnd, sessionsInTheWay } from "../../../access/sessions.ts";
import type { Credential, SignedIn } from "../../control-access.ts";
import { badParameter } from "../control/handlers.ts";
import { Turns } from "../turns.ts";
import type { AccessBook, AccessSettings } from "./access-book.ts";
import type { Person } from "./asker.ts";
import { PasswordHash } from "./password-hash.ts";
import {
  alreadyClaimed,
  badName,
  badPassword,
  notSignedIn,
  tooManyAttempts,
  wrongCode,
  wrongPassword,
} from "./refusals.ts";
import { hashOf, isHashOf, isSecret, isToken, makeSecret, makeStamp, sameText } from "./secrets.ts";

const CLAIM_SETTING = "accessClaim";
/** No name of a user: the attempts at the code are counted like those at an account. */
const CLAIM_ACCOUNT = "the claim code";
const PASSWORD_LENGTH_MAX = 4_096;
const SEEN_SOURCES_MAX = 16;
const TICKETS_MAX = 8;
/** So exactly is known when a session was used last. */
const TOUCHED_MILLIS = 300_000;

export interface DoorOptions {
  readonly book: AccessBook;
  readonly settings: AccessSettings;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For the peer's door. */
  readonly onFailed: (attempt: Attempt) => void;
}

export class Door {
  readonly passwords = new PasswordHash();
  /** Of changes of users: what is looked up before one is so when it is made. */
  readonly turns = new Turns();
  readonly #options: DoorOptions;
  readonly #seed = randomBytes(4).readUInt32LE();
  #lockout = initialLockout;
  #claimCode: string | undefined;

  private constructor(options: DoorOptions, claimCode: string | undefined) {
    this.#options = options;
    this.#claimCode = claimCode;
  }

  static async open(options: DoorOptions): Promise<Door> {
    const door = new Door(options, await options.settings.setting(CLAIM_SETTING));
    await door.keepCode();
    return door;
  }

  /** A box without users has a code, and one with users has none. */
  async keepCode(): Promise<void> {
    const { book, settings } = this.#options;
    const isWanted = book.users.length === 0;
    if (isWanted === (this.#claimCode !== undefined)) return;
    this.#claimCode = isWanted ? makeClaimCode(randomBytes(CLAIM_RANDOM_BYTES)) : undefined;
    await settings.putSetting(CLAIM_SETTING, this.#claimCode);
  }

  /** "K7QM3-XRP0T"; null on a box that is claimed. */
  get claimCode(): string | null {
    return this.#options.book.users.length === 0 ? (this.#claimCode ?? null) : null;
  }

  async claim(code: unknown, name: unknown, password: unknown, from: string): Promise<SignedIn> {
    const { book } = this.#options;
    if (typeof code !== "string") throw badParameter("code is a text");
    if (book.users.length > 0) throw alreadyClaimed();
    const good = checkedPassword(password, checkedName(name));
    const attempt = this.#attempt({ source: checkedSource(from), account: CLAIM_ACCOUNT, familiar: false });
    const mine = this.claimCode;
    if (mine === null || !sameText(readClaimCode(code) ?? "", mine)) {
      this.#options.onFailed(attempt);
      throw wrongCode();
    }
    this.#step({ kind: "succeeded", ...attempt });
    const hash = await this.passwords.make(good);
    if (book.users.length > 0) throw alreadyClaimed();
    const user = this.newUser(checkedName(name), "admin", hash);
    await book.put(user);
    await this.keepCode();
    return this.#begin(user, from, undefined);
  }

  newUser(name: string, role: UserRecord["role"], hash: string): UserRecord {
    const at = this.#time();
    const version = this.#options.book.nextVersion(`user ${name}`);
    return { kind: "user", name, version, role, hash, stamp: makeStamp(), createdAt: at, passwordChangedAt: at };
  }

  async signIn(name: unknown, password: unknown, from: string): Promise<SignedIn> {
    const user = await this.#known(name, password, from);
    return this.#begin(user, from, undefined);
  }

  /** Whoever changes his own password shows that he knows the old one; his other sessions end. */
  async passwordChange(person: Person, old: unknown, password: unknown, from: string): Promise<void> {
    const { book } = this.#options;
    const good = checkedPassword(password, person.name);
    const { hash: known } = await this.#known(person.name, old, from);
    const hash = await this.passwords.make(good);
    await this.turns.take(async () => {
      // Somebody may have changed or deleted the account meanwhile.
      const user = book.user(person.name);
      const session = person.session === undefined ? undefined : book.session(person.session);
      if (user?.hash !== known || session === undefined) throw notSignedIn();
      const changed = this.changed(user, { hash });
      await book.put(changed);
      await book.put({ ...session, version: session.version + 1, stamp: changed.stamp });
    });
  }

  changed(user: UserRecord, change: Partial<Pick<UserRecord, "role" | "hash">>): UserRecord {
    const passwordChangedAt = change.hash === undefined ? user.passwordChangedAt : this.#time();
    return { ...user, ...change, version: user.version + 1, stamp: makeStamp(), passwordChangedAt };
  }

  async resume(ticket: unknown, from: string): Promise<SignedIn> {
    const { book } = this.#options;
    const source = checkedSource(from);
    if (!isSecret(ticket)) throw notSignedIn();
    const hash = hashOf(ticket);
    const session = book.sessions.find(({ tickets }) => tickets.includes(hash));
    const user = session === undefined ? undefined : book.user(session.user);
    // From elsewhere it may be a link by which somebody lets another's page go on as himself.
    if (session === undefined || user === undefined || sourceOf(session.from) !== source) throw notSignedIn();
    const tickets = session.tickets.filter((one) => one !== hash);
    await book.put({ ...session, version: session.version + 1, tickets });
    return this.#begin(user, from, session.startedAt);
  }

  async ticket(person: Person): Promise<string> {
    const { book } = this.#options;
    const session = person.session === undefined ? undefined : book.session(person.session);
    if (session === undefined) throw notSignedIn();
    const ticket = makeSecret();
    const tickets = [...session.tickets, hashOf(ticket)].slice(-TICKETS_MAX);
    await book.put({ ...session, version: session.version + 1, tickets });
    return ticket;
  }

  /** Throws RefusalError for one that opens nothing. */
  person(credential: Credential): Person {
    return credential.kind === "token" ? this.#ofToken(credential.token) : this.#ofSession(credential);
  }

  /** The peer's door saw an attempt that failed. */
  told(attempt: Attempt): void {
    this.#step({ kind: "told", ...attempt });
  }

  #ofToken(token: unknown): Person {
    if (!isToken(token)) throw notSignedIn();
    const hash = hashOf(token);
    const record = this.#options.book.tokens.find((one) => one.hash === hash);
    if (record === undefined || !isTokenGood(record, this.#options.now())) throw notSignedIn();
    const { name, scopes, expiresAt } = record;
    return { name: `token ${name}`, role: null, scopes, session: undefined, expiresAt };
  }

  #ofSession({ session, proof }: Extract<Credential, { readonly kind: "session" }>): Person {
    const { book } = this.#options;
    if (!isSecret(session) || !isSecret(proof)) throw notSignedIn();
    const record = book.session(hashOf(session));
    const user = record === undefined ? undefined : book.user(record.user);
    if (record === undefined || user === undefined || !isHashOf(record.proof, proof)) throw notSignedIn();
    const { name, role } = user;
    const touched = this.#touched(record);
    const expiresAt = new Date(sessionEnd(touched)).toISOString();
    return { name, role, scopes: SCOPES_OF[role], session: record.id, expiresAt };
  }

  #touched(session: SessionRecord): SessionRecord {
    const now = this.#options.now();
    if (now - Date.parse(session.lastSeenAt) < TOUCHED_MILLIS) return session;
    const touched = { ...session, version: session.version + 1, lastSeenAt: this.#time() };
    void this.#options.book.put(touched);
    return touched;
  }

  async #known(name: unknown, password: unknown, from: string): Promise<UserRecord> {
    const { book } = this.#options;
    if (typeof name !== "string" || typeof password !== "string") throw badParameter("name and password are texts");
    if (password.length > PASSWORD_LENGTH_MAX) throw badParameter("password is too long");
    const source = checkedSource(from);
    // What is no name is nobody's, whatever it is made of.
    const account = isName(name) ? name : "";
    const familiar = book.seen(account)?.sources.includes(source) === true && book.user(account) !== undefined;
    if (this.passwords.isCrowded(familiar)) throw tooManyAttempts(1);
    const attempt = this.#attempt({ source, account, familiar });
    const before = book.user(account);
    const isRight = await this.passwords.isRight(password, before?.hash);
    const user = book.user(account);
    if (!isRight || user === undefined || user.hash !== before?.hash) {
      this.#options.onFailed(attempt);
      throw wrongPassword();
    }
    this.#step({ kind: "succeeded", ...attempt });
    return user;
  }

  async #begin(user: UserRecord, from: string, startedAt: string | undefined): Promise<SignedIn> {
    const { book } = this.#options;
    const [session, proof] = [makeSecret(), makeSecret()];
    const at = this.#time();
    const record: SessionRecord = {
      kind: "session",
      id: hashOf(session),
      version: 1,
      user: user.name,
      stamp: user.stamp,
      proof: hashOf(proof),
      from,
      startedAt: startedAt ?? at,
      lastSeenAt: at,
      tickets: [],
    };
    const source = checkedSource(from);
    const others = (book.seen(user.name)?.sources ?? []).filter((one) => one !== source);
    const seen = { kind: "seen", name: user.name, version: book.nextVersion(`seen ${user.name}`), at } as const;
    const gone = sessionsInTheWay(book.sessions).map((one) => ended(one));
    await book.put(...gone, record, { ...seen, sources: [...others, source].slice(-SEEN_SOURCES_MAX) });
    const expiresAt = new Date(sessionEnd(record)).toISOString();
    return { session, proof, user: { name: user.name, role: user.role }, expiresAt };
  }

  /** Counted from now on. Throws RefusalError where there is to be a wait. */
  #attempt(attempt: Attempt): Attempt {
    const [action] = this.#step({ kind: "attempt", ...attempt });
    if (action?.kind === "refuse") throw tooManyAttempts(Math.max(1, Math.ceil(action.wait / 1_000_000)));
    return attempt;
  }

  #step(input: Parameters<typeof stepLockout>[2]): ReturnType<typeof stepLockout>["actions"] {
    const config = { seed: this.#seed };
    const { state, actions } = stepLockout(config, this.#lockout, input, this.#options.clock.now());
    this.#lockout = state;
    return actions;
  }

  #time(): string {
    return new Date(this.#options.now()).toISOString();
  }
}

/** Kept until the session would have ended by itself. */
export function ended(session: SessionRecord) {
  const at = new Date(Date.parse(session.startedAt) + ABSOLUTE_MILLIS_MAX).toISOString();
  return { kind: "gone", of: "session", key: session.id, version: session.version + 1, at } as const;
}

/** Throws RefusalError. */
export function checkedName(name: unknown): string {
  if (!isName(name)) throw badName("a user");
  return name;
}

/** Throws RefusalError. */
export function checkedPassword(password: unknown, name: string): string {
  if (typeof password !== "string") throw badParameter("password is a text");
  const reason = passwordRefusal(password, name);
  if (reason !== undefined) throw badPassword(reason);
  return password;
}

function checkedSource(from: string): string {
  const source = sourceOf(from);
  if (source === undefined) throw badParameter("from is an address");
  return source;
}
