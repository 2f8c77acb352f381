/** Who changed what from where, on this box: the newest 10,000, in settings of a hundred each, so that one more costs little. */
import type { AuditEntry } from "../../control-access.ts";
import { Turns } from "../turns.ts";
import type { AccessSettings } from "./access-book.ts";

const PIECE_ENTRIES = 100;
/** Of what was asked by whoever may; and of what others tried, whose number they choose. */
const PIECES = { audit: 80, auditKnock: 20 } as const;
type Ring = keyof typeof PIECES;

interface Piece {
  /** Counted since the first one. */
  readonly number: number;
  readonly entries: readonly AuditEntry[];
}

export interface AuditLogOptions {
  readonly settings: AccessSettings;
  /** The disk refused. */
  readonly onTrouble: (error: unknown) => void;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #rings: Record<Ring, Piece[]> = { audit: [], auditKnock: [] };
  readonly #turns = new Turns();
  /** Not on the disk yet. */
  readonly #dirty: Record<Ring, Set<number>> = { audit: new Set(), auditKnock: new Set() };

  private constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  static async load(options: AuditLogOptions): Promise<AuditLog> {
    const log = new AuditLog(options);
    for (const ring of ["audit", "auditKnock"] as const) log.#rings[ring] = await log.#read(ring);
    return log;
  }

  /** `knock`: of whoever had no right to, so that no flood of them displaces the rest. */
  add(entry: AuditEntry, knock: boolean): void {
    const ring: Ring = knock ? "auditKnock" : "audit";
    const pieces = this.#rings[ring];
    const last = pieces.at(-1);
    if (last === undefined || last.entries.length >= PIECE_ENTRIES) {
      pieces.push({ number: (last?.number ?? -1) + 1, entries: [entry] });
      if (pieces.length > PIECES[ring]) pieces.shift();
    } else pieces[pieces.length - 1] = { ...last, entries: [...last.entries, entry] };
    const isQueued = this.#dirty[ring].size > 0;
    this.#dirty[ring].add(pieces.at(-1)?.number ?? 0);
    if (!isQueued)
      void this.#turns.take(() => this.#write(ring)).catch((error: unknown) => this.#options.onTrouble(error));
  }

  /** The newest first; `before` is RFC 3339. */
  newest(limit: number, before: string | undefined): readonly AuditEntry[] {
    const all = Object.values(this.#rings).flatMap((pieces) => pieces.flatMap(({ entries }) => entries));
    return newestOf(all, limit, before);
  }

  saved(): Promise<void> {
    return this.#turns.over();
  }

  async #read(ring: Ring): Promise<Piece[]> {
    const keys = Array.from({ length: PIECES[ring] }, (_, i) => settingOf(ring, i));
    const texts = await Promise.all(keys.map((key) => this.#options.settings.setting(key)));
    const pieces = texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Piece]));
    return pieces.toSorted((one, other) => one.number - other.number);
  }

  /** All that changed since it was asked for. */
  async #write(ring: Ring): Promise<void> {
    const numbers = new Set(this.#dirty[ring]);
    this.#dirty[ring].clear();
    for (const piece of this.#rings[ring].filter(({ number }) => numbers.has(number))) {
      await this.#options.settings.putSetting(settingOf(ring, piece.number % PIECES[ring]), JSON.stringify(piece));
    }
  }
}

/** Of entries of one box or of both. */
export function newestOf(
  entries: readonly AuditEntry[],
  limit: number,
  before: string | undefined,
): readonly AuditEntry[] {
  const older = before === undefined ? entries : entries.filter(({ at }) => at < before);
  return older.toSorted((one, other) => other.at.localeCompare(one.at)).slice(0, limit);
}

function settingOf(ring: Ring, place: number): string {
  return `${ring}.${place}`;
}
