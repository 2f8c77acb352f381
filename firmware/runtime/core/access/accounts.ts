/** What admins do: users, tokens and sessions. */
import type { SessionRecord, TokenRecord, UserRecord } from "../../../access/records.ts";
import { isName } from "../../../access/rules.ts";
import { isScope, isWebRole, SCOPES } from "../../../access/scopes.ts";
import { isTokenGood } from "../../../access/sessions.ts";
import type { SessionShown, TokenShown, UserShown, WebRole } from "../../control-access.ts";
import { ExitCode } from "../../exit-code.ts";
import { badParameter } from "../control/handlers.ts";
import type { AccessBook } from "./access-book.ts";
import { checkedName, checkedPassword, type Door, ended } from "./door.ts";
import { badName, type AccessRefusal, refused } from "./refusals.ts";
import { hashOf, makeSecret, makeStamp, TOKEN_PREFIX } from "./secrets.ts";

const USERS_MAX = 64;
const TOKENS_MAX = 256;
/** RFC 3339 has years of four digits, and the peer takes no others. */
const EXPIRY_MILLIS_MAX = Date.UTC(10_000, 0);
/** Names a session, and opens nothing. */
const SESSION_ID_LENGTH = 16;

export interface AccountsOptions {
  readonly book: AccessBook;
  readonly door: Door;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Accounts {
  readonly #book: AccessBook;
  readonly #door: Door;
  readonly #now: () => number;

  constructor({ book, door, now }: AccountsOptions) {
    this.#book = book;
    this.#door = door;
    this.#now = now;
  }

  get users(): readonly UserShown[] {
    const shown = this.#book.users.map(({ name, role, createdAt, passwordChangedAt }) => ({
      name,
      role,
      createdAt,
      passwordChangedAt,
      lastSignInAt: this.#book.seen(name)?.at ?? null,
    }));
    return shown.toSorted((one, other) => one.name.localeCompare(other.name));
  }

  async add(name: unknown, role: unknown, password: unknown): Promise<string> {
    const good = checkedPassword(password, checkedName(name));
    const called = checkedName(name);
    const checked = checkedRole(role);
    const mayBe = () => {
      if (this.#book.user(called) !== undefined) {
        throw refused("nameTaken", `there is a user ${called}`, "Take another name.", { exitCode: ExitCode.conflict });
      }
      if (this.#book.users.length >= USERS_MAX) {
        throw refused("tooManyUsers", `there are ${USERS_MAX} users`, "Delete one first.");
      }
      this.#demandAdmin(called, checked);
    };
    mayBe();
    const hash = await this.#door.passwords.make(good);
    await this.#door.turns.take(async () => {
      // Somebody else may have been faster.
      mayBe();
      await this.#book.put(this.#door.newUser(called, checked, hash));
    });
    await this.#door.keepCode();
    return `User ${called} is ${checked}.`;
  }

  async set(name: unknown, role: unknown, password: unknown): Promise<string> {
    if (role === undefined && password === undefined) throw badParameter("role or password is needed");
    const before = this.#user(name);
    const roleOf = (user: UserRecord) => (role === undefined ? user.role : checkedRole(role));
    const good = password === undefined ? undefined : checkedPassword(password, before.name);
    this.#demandAdmin(before.name, roleOf(before));
    const hash = good === undefined ? undefined : await this.#door.passwords.make(good);
    await this.#door.turns.take(async () => {
      const user = this.#user(name);
      this.#demandAdmin(user.name, roleOf(user));
      await this.#book.put(this.#door.changed(user, { role: roleOf(user), ...(hash === undefined ? {} : { hash }) }));
    });
    const changes = [
      ...(role === undefined ? [] : [`is ${roleOf(before)}`]),
      ...(hash === undefined ? [] : ["has another password"]),
    ];
    return `User ${before.name} ${changes.join(" and ")}. All sessions of that name have ended.`;
  }

  delete(name: unknown): Promise<string> {
    return this.#door.turns.take(async () => {
      const user = this.#user(name);
      this.#demandAdmin(user.name, undefined);
      await this.#book.put({ kind: "gone", of: "user", key: user.name, version: user.version + 1, at: this.#time() });
      return `User ${user.name} is deleted.`;
    });
  }

  get tokens(): readonly TokenShown[] {
    return this.#book.tokens.map(tokenShown).toSorted((one, other) => one.name.localeCompare(other.name));
  }

  async createToken(
    wish: { readonly name: unknown; readonly scopes: unknown; readonly expiresAt?: unknown },
    createdBy: string,
  ): Promise<TokenShown & { readonly token: string }> {
    const { name, scopes } = wish;
    if (!isName(name)) throw badName("a token");
    if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
      throw badParameter(`scopes is a list of ${SCOPES.join(", ")}`);
    }
    const good = this.#book.tokens.filter((token) => isTokenGood(token, this.#now()));
    if (good.some((one) => one.name === name)) {
      throw refused("nameTaken", `there is a token ${name}`, "Revoke it first, or take another name.", {
        exitCode: ExitCode.conflict,
      });
    }
    if (this.#book.tokens.length >= TOKENS_MAX) {
      throw refused("tooManyTokens", `there are ${TOKENS_MAX} tokens`, "Revoke one first.");
    }
    const token = `${TOKEN_PREFIX}${makeSecret()}`;
    const record: TokenRecord = {
      kind: "token",
      id: makeStamp(),
      version: 1,
      name,
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      hash: hashOf(token),
      createdBy,
      createdAt: this.#time(),
      expiresAt: this.#expiry(wish.expiresAt),
    };
    await this.#book.put(record);
    return { ...tokenShown(record), token };
  }

  async revokeToken(id: unknown): Promise<string> {
    const token = this.#book.tokens.find((one) => one.id === id);
    if (token === undefined)
      throw missing("noSuchToken", "there is no such token", "`futago token list` shows the ids.");
    await this.#book.put({ kind: "gone", of: "token", key: token.id, version: token.version + 1, at: this.#time() });
    return `Token ${token.name} is revoked.`;
  }

  /** `own` is the id of the session that asks. */
  sessions(own: string | undefined): readonly SessionShown[] {
    return this.#book.sessions
      .map((session) => sessionShown(session, own))
      .toSorted((one, other) => other.lastSeenAt.localeCompare(one.lastSeenAt));
  }

  async endSession(id: unknown): Promise<string> {
    const session = this.#book.sessions.find((one) => one.id.slice(0, SESSION_ID_LENGTH) === id || one.id === id);
    if (session === undefined) {
      throw missing("noSuchSession", "there is no such session", "`futago session list` shows the ids.");
    }
    await this.#book.put(ended(session));
    return `A session of ${session.user} has ended.`;
  }

  #user(name: unknown): UserRecord {
    const user = typeof name === "string" ? this.#book.user(name) : undefined;
    if (user === undefined) throw missing("noSuchUser", "there is no such user", "`futago user list` shows them.");
    return user;
  }

  /** There is an admin when the user has that role, or is gone. */
  #demandAdmin(name: string, role: WebRole | undefined): void {
    if (role === "admin") return;
    if (this.#book.users.some((user) => user.name !== name && user.role === "admin")) return;
    throw refused("lastAdmin", "nobody would be an admin", "Make somebody else an admin first.", {
      exitCode: ExitCode.conflict,
    });
  }

  #expiry(wished: unknown): string | null {
    if (wished === undefined || wished === null) return null;
    const at = typeof wished === "string" && wished.length <= 40 ? Date.parse(wished) : Number.NaN;
    if (Number.isNaN(at) || at <= this.#now() || at >= EXPIRY_MILLIS_MAX) {
      throw refused("badExpiry", "the end of the token is no time to come", "Write it like 2027-01-31T00:00:00Z.", {
        exitCode: ExitCode.usage,
      });
    }
    return new Date(at).toISOString();
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}

function checkedRole(role: unknown): WebRole {
  if (!isWebRole(role)) throw badParameter("role is viewer, operator or admin");
  return role;
}

function missing(reason: AccessRefusal, what: string, mend: string): Error {
  return refused(reason, what, mend);
}

function tokenShown({ id, name, scopes, createdBy, createdAt, expiresAt }: TokenRecord): TokenShown {
  return { id, name, scopes, createdBy, createdAt, expiresAt };
}

function sessionShown({ id, user, from, startedAt, lastSeenAt }: SessionRecord, own: string | undefined): SessionShown {
  return { id: id.slice(0, SESSION_ID_LENGTH), user, from, startedAt, lastSeenAt, own: id === own };
}
