/** What the console menu is told of the box before it draws and before it decides. */

export interface Facts {
  /** Why the box cannot be asked; undefined while it answers. */
  readonly trouble: string | undefined;
  readonly hostname: string;
  /** "a", "b", or "alone". */
  readonly box: string;
  readonly role: string;
  /** Null on a box alone. */
  readonly peer: { readonly alive: boolean } | null;
  /** People decide who serves in this pair. */
  readonly isCold: boolean;
  /** "waits": wished, and carried out as soon as the peer can take over. */
  readonly maintenance: "off" | "on" | "waits";
  /** What is rolled back unless somebody confirms it; null when nothing is. */
  readonly unconfirmed: UnconfirmedFacts | null;
  /** What this box does now, and its peer, in sentences. */
  readonly summary: readonly string[];
  /** But for that of {@link unconfirmed}. */
  readonly alarms: readonly string[];
  /** Pages to be read, by their lines. */
  readonly pages: Readonly<Record<Page, readonly string[]>>;
  readonly interfaces: readonly InterfaceFacts[];
  /** The newest first; the first is in force. */
  readonly revisions: readonly RevisionFacts[];
  /** Who may use the web UI. */
  readonly users: readonly UserFacts[];
  /** The slot of the system that runs; null where it has no slots. */
  readonly slot: "a" | "b" | null;
  /** What changes something waits for an admin to sign in. */
  readonly isLocked: boolean;
  /** Chosen at the boot menu: a password may be set without signing in. */
  readonly isPasswordAsked: boolean;
  /** Backup files that were found on a USB stick, as paths. */
  readonly backupFiles: readonly string[];
  /** The verbs of the command line that this version has. */
  readonly verbs: readonly string[];
}

export interface UserFacts {
  readonly name: string;
  readonly role: string;
}

export interface UnconfirmedFacts {
  readonly revision: string;
  readonly author: string;
  /** Whoever sits here committed it. */
  readonly isOwn: boolean;
  readonly secondsLeft: number;
}

export type Page = "status" | "why";

export interface InterfaceFacts {
  readonly name: string;
  readonly device: string;
  /** Of this box. */
  readonly addresses: readonly string[];
  /** Where `futago set` changes them. */
  readonly path: string;
}

export interface RevisionFacts {
  readonly id: string;
  /** When it was committed, by whom and why, in a line. */
  readonly title: string;
  /** It can be brought back. */
  readonly whole: boolean;
}
