/**
 * Judges a configuration. A large one takes a second, in which checks would time out and answers wait, so it is judged
 * in a thread of its own and what it means comes back in pieces, between which core does its other work.
 */
import { Worker } from "node:worker_threads";
import { lookup } from "../../config/lookup.ts";
import type { Problem } from "../../config/problem.ts";
import type { Resolved, ResolvedPool } from "../../config/resolved.ts";
import { keepUnchanged } from "../../config/unchanged.ts";
import { type OnResolved, validate, type ValidateContext } from "../../config/validate.ts";

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

/** What the thread says: some pools at a time, the rest of what the document says, and last whether that can be. */
export type Finding =
  | { readonly kind: "pools"; readonly pools: readonly ResolvedPool[] }
  | { readonly kind: "resolved"; readonly rest: Omit<Resolved, "pools"> }
  | { readonly kind: "done"; readonly verdict: Verdict };

/** What was judged, but for what the document says. */
export type Verdict = Omit<Extract<Judged, { ok: true }>, "resolved"> | Extract<Judged, { ok: false }>;

/** Judged within milliseconds; a thread takes longer to start. */
const SMALL_BYTES = 64 << 10;

export function judge(input: DocumentText, context: ValidateContext, onResolved?: OnResolved): Judged {
  const validation = validate(input, context, onResolved);
  if (!validation.ok) return validation;
  const { text, resolved, warnings } = validation;
  return { ok: true, text, resolved, warnings };
}

/**
 * As {@link judge}, without holding up whoever waits; with what `former` says alike in the same objects. `onResolved` is
 * told before all is judged.
 */
export async function judgeAside(
  input: DocumentText,
  context: ValidateContext,
  former: Resolved | undefined,
  onResolved: OnResolved = () => undefined,
): Promise<Judged> {
  if (input.length <= SMALL_BYTES) return keepFormer(judge(input, context, onResolved), former);
  // Bundled for the image this file is JavaScript, and so is its worker.
  const file = import.meta.url.endsWith(".ts") ? "./judge-worker.ts" : "./judge-worker.js";
  const brief: Brief = { input, context };
  const worker = new Worker(new URL(file, import.meta.url), { workerData: brief, execArgv: [] });
  try {
    return await findings(worker, former, onResolved);
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

function findings(worker: Worker, former: Resolved | undefined, onResolved: OnResolved): Promise<Judged> {
  const formerPools = former === undefined ? new Map<string, ResolvedPool>() : lookup(former).pools;
  const pools: ResolvedPool[] = [];
  let resolved: Resolved | undefined;
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`the thread that judges ended with ${code}`)));
    worker.on("message", (finding: Finding) => {
      switch (finding.kind) {
        case "pools":
          pools.push(...keepUnchanged(finding.pools, formerPools));
          return;
        case "resolved":
          resolved = { ...finding.rest, pools };
          onResolved(resolved);
          return;
        case "done": {
          const { verdict } = finding;
          if (!verdict.ok) return resolve(verdict);
          if (resolved === undefined) return reject(new Error("the thread that judges has not said what"));
          resolve(keepFormer({ ...verdict, resolved }, former));
        }
      }
    });
  });
}
