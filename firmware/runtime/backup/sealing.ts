/**
 * Seals and opens backup files without holding up whoever waits: the passphrase's key takes a second of work and 128 MiB,
 * which a thread has to itself and gives back at its end.
 */
import { Worker } from "node:worker_threads";
import type { Unsealed } from "./container.ts";

export type SealOrder =
  | { readonly kind: "seal"; readonly text: string; readonly passphrase: string }
  | { readonly kind: "unseal"; readonly sealed: Uint8Array; readonly passphrase: string };

export async function sealAside(text: string, passphrase: string): Promise<Uint8Array> {
  return (await aside({ kind: "seal", text, passphrase })) as Uint8Array;
}

export async function unsealAside(sealed: Uint8Array, passphrase: string): Promise<Unsealed> {
  return (await aside({ kind: "unseal", sealed, passphrase })) as Unsealed;
}

/** One after the other: each takes its memory. */
let turn: Promise<unknown> = Promise.resolve();

function aside(order: SealOrder): Promise<unknown> {
  const result = turn.then(() => work(order));
  turn = result.catch(() => undefined);
  return result;
}

async function work(order: SealOrder): Promise<unknown> {
  // Bundled for the image this file is JavaScript, and so is its worker.
  const file = import.meta.url.endsWith(".ts") ? "./sealing-worker.ts" : "./sealing-worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: order, execArgv: [] });
  try {
    return await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the thread that seals ended with ${code}`)));
    });
  } finally {
    void worker.terminate();
  }
}
