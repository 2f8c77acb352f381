/** What can be asked on the control socket about backups. The file, and its passphrase, stay with whoever asks. */
import type { Box } from "./messages.ts";

export interface BackupShown {
  /** The first line of what a backup file holds; see docs/keeping-a-box.md. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly document: unknown;
}

export interface RestoreWish {
  readonly facts: unknown;
  /** Its text, to the letter. */
  readonly document: string;
  /** From a device's name in the document to its name on this box. */
  readonly map: Readonly<Record<string, string>>;
  readonly author: string;
  /** Although somebody uses the addresses that this box would have. */
  readonly force?: boolean;
}

export interface Restored {
  /** In force from now on. */
  readonly revision: string;
  readonly letter: Box | null;
  /** The box had nothing and is now what was backed up, letter and peer included; else only the document was committed. */
  readonly whole: boolean;
  /** Sentences: what is left to do. */
  readonly remarks: readonly string[];
}

/** An age file in base64, made and opened by the box: whoever carries it sees nothing of what is in it. */
export interface SealedBackup {
  readonly file: string;
  readonly revision: string;
  readonly letter: Box | null;
}

export interface SealedWish extends Omit<RestoreWish, "facts" | "document"> {
  readonly file: string;
  readonly passphrase: string;
}

/** Backup files of a USB stick, by their names: none on a box that has a configuration. */
export interface StickFiles {
  readonly files: readonly string[];
}

export interface StickWish extends Omit<SealedWish, "file"> {
  /** One of {@link StickFiles}. */
  readonly name: string;
}

export interface BackupMethods {
  backupSealed: { params: { readonly passphrase: string }; result: SealedBackup };
  restoreSealed: { params: SealedWish; result: Restored };
  stickFiles: { params: Record<string, never>; result: StickFiles };
  restoreStick: { params: StickWish; result: Restored };
  backup: { params: Record<string, never>; result: BackupShown };
  restore: { params: RestoreWish; result: Restored };
}
