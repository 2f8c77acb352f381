/**
 * Judges a configuration. A large one takes a second, in which checks would time out and answers wait, so it is judged
 * in a thread of its own and what it means comes back in pieces, between which core does its other work.
 */
import { Worker } from "node:worker_threads";
import { lookup } from "../../config/lookup.ts";
import type { Problem } from "../../config/problem.ts";
import type { Resolved, ResolvedPool } from "../../config/resolved.ts";
import { keepUnchanged } from "../../config/unchanged.ts";
import { validate, type ValidateContext } from "../../config/validate.ts";

export type Judged =
  | {
      readonly ok: true;
      /** The document as canonical JSON, with VRIDs that were left out chosen. */
      readonly text: string;
      readonly resolved: Resolved;
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** JSON as text or as UTF-8 bytes. */
export type DocumentText = string | Uint8Array;

/** What the thread is given. */
export interface Brief {
  readonly input: DocumentText;
  readonly context: ValidateContext;
}

/** What the thread says: some pools at a time, then the rest, which is the last message. */
export type Finding =
  | { readonly kind: "pools"; readonly pools: readonly ResolvedPool[] }
  | { readonly kind: "done"; readonly judged: Judged };

/** Judged within milliseconds; a thread takes longer to start. */
const SMALL_BYTES = 64 << 10;

export function judge(input: DocumentText, context: ValidateContext): Judged {
  const validation = validate(input, context);
  if (!validation.ok) return validation;
  const { text, resolved, warnings } = validation;
  return { ok: true, text, resolved, warnings };
}

/** As {@link judge}, without holding up whoever waits; with what `former` says alike in the same objects. */
export async function judgeAside(
  input: DocumentText,
  context: ValidateContext,
  former: Resolved | undefined,
): Promise<Judged> {
  if (input.length <= SMALL_BYTES) return keepFormer(judge(input, context), former);
  // Bundled for the image this file is JavaScript, and so is its worker.
  const file = import.meta.url.endsWith(".ts") ? "./judge-worker.ts" : "./judge-worker.js";
  const brief: Brief = { input, context };
  const worker = new Worker(new URL(file, import.meta.url), { workerData: brief, execArgv: [] });
  try {
    return await findings(worker, former);
  } finally {
    void worker.terminate();
  }
}

/** What is as in the former configuration is the same objects. */
function keepFormer(judged: Judged, former: Resolved | undefined): Judged {
  if (!judged.ok || former === undefined) return judged;
  const { pools, services } = lookup(former);
  const { resolved } = judged;
  const kept = {
    pools: keepUnchanged(resolved.pools, pools),
    services: keepUnchanged(resolved.services, services),
  };
  return { ...judged, resolved: { ...resolved, ...kept } };
}

function findings(worker: Worker, former: Resolved | undefined): Promise<Judged> {
  const formerPools = former === undefined ? new Map<string, ResolvedPool>() : lookup(former).pools;
  const pools: ResolvedPool[] = [];
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`the thread that judges ended with ${code}`)));
    worker.on("message", (finding: Finding) => {
      switch (finding.kind) {
        case "pools":
          pools.push(...keepUnchanged(finding.pools, formerPools));
          return;
        case "done": {
          const { judged } = finding;
          resolve(judged.ok ? keepFormer({ ...judged, resolved: { ...judged.resolved, pools } }, former) : judged);
        }
      }
    });
  });
}
