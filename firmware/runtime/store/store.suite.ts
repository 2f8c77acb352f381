/** A state directory that is made for each test and goes with it, and stores opened in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { canonicalJson } from "../../config/canonical.ts";
import { type NewRevision, Store } from "./store.ts";

export const text = (device: string): string => canonicalJson({ interfaces: [{ name: "wan", device }] });

export function revision(parent: string | undefined, device: string): NewRevision {
  return {
    text: text(device),
    parent,
    author: "alice",
    comment: `use ${device}`,
    time: "2026-01-02T03:04:05.678Z",
  };
}

export let directory: string;
const open: Store[] = [];

/** For the whole file that calls it. */
export function withDirectoryForEach(): void {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "futago-store-"));
  });

  afterEach(async () => {
    await closeAll();
    rmSync(directory, { recursive: true, force: true });
  });
}

/** With what was told at opening. */
export async function openTold(
  path = directory,
): Promise<{ readonly store: Store; readonly recovered: string | undefined }> {
  const opened = await Store.open(path);
  if (!opened.ok) throw new Error(opened.what);
  open.push(opened.store);
  return opened;
}

export async function openStore(path = directory): Promise<Store> {
  return (await openTold(path)).store;
}

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((store) => store.close().catch(() => undefined)));
}

export async function append(store: Store, device: string): Promise<string> {
  const appended = await store.append(revision((await store.head())?.id, device));
  if (!appended.ok) throw new Error("conflict");
  return appended.revision.id;
}
