/**
 * The writes that lead from what is in force to what is wanted. A backend that changes its state, which must be in
 * force in a moment, takes a short way: only its services are compiled and compared. Whatever else changes is
 * compiled whole.
 */
import type { BalancerEntry, BalancerWrite } from "@futago/hal/units/balancer.ts";
import { ok, type Result } from "@futago/hal/units/result.ts";
import { type BalancerInput, compile, type Compiled, compiledOf, entriesOf, recompiler } from "./compile.ts";
import { diffEntries } from "./diff.ts";
import type { BalancedBackend, BalancedService, ServiceConflict } from "./service.ts";

/** What the tables hold: found there, or put there by a plan. */
export type InForce =
  | { readonly kind: "found"; readonly entries: readonly BalancerEntry[] }
  | { readonly kind: "planned"; readonly input: BalancerInput; readonly compiled: Compiled };

export interface Plan {
  readonly writes: readonly BalancerWrite[];
  /** What the tables hold after the writes. */
  readonly inForce: InForce;
}

export function planChange(input: BalancerInput, inForce: InForce): Result<Plan, ServiceConflict> {
  if (inForce.kind === "planned" && isSameGround(input, inForce.input)) {
    const quick = planStates(input, inForce.compiled);
    if (quick !== undefined) return ok(quick);
  }
  const standing = entriesInForce(inForce);
  const compiled = compile(input, standing);
  if (!compiled.ok) return compiled;
  const writes = diffEntries(standing, entriesOf(compiled.value));
  return ok({ writes, inForce: { kind: "planned", input, compiled: compiled.value } });
}

/** The same for tables made anew, which hold `found`: services and backends keep the numbers that flows know. */
export function planMove(
  input: BalancerInput,
  inForce: InForce,
  found: readonly BalancerEntry[],
): Result<Plan, ServiceConflict> {
  const compiled = compile(input, entriesInForce(inForce));
  if (!compiled.ok) return compiled;
  const writes = diffEntries(found, entriesOf(compiled.value));
  return ok({ writes, inForce: { kind: "planned", input, compiled: compiled.value } });
}

export function entriesInForce(inForce: InForce): readonly BalancerEntry[] {
  return inForce.kind === "found" ? inForce.entries : entriesOf(inForce.compiled);
}

function isSameGround(a: BalancerInput, b: BalancerInput): boolean {
  return a.seed === b.seed && a.servicesMax === b.servicesMax && a.own === b.own;
}

/** Undefined: more than states of backends changed. */
function planStates(input: BalancerInput, before: Compiled): Plan | undefined {
  const { services } = input;
  if (services.length !== before.services.length) return undefined;
  const recompile = recompiler(input.seed);
  const old: BalancerEntry[] = [];
  const next: BalancerEntry[] = [];
  const compiled: Compiled["services"][number][] = [];
  for (const [i, standing] of before.services.entries()) {
    const service = services[i];
    if (service === undefined) return undefined;
    if (service === standing.service) {
      compiled.push(standing);
      continue;
    }
    if (!isSameButStates(service, standing.service)) return undefined;
    const fresh = recompile(standing, service);
    compiled.push(fresh);
    for (const entry of standing.entries) old.push(entry);
    for (const entry of fresh.entries) next.push(entry);
  }
  const inForce = { kind: "planned", input, compiled: compiledOf(compiled, before.hosts) } as const;
  return { writes: diffEntries(old, next), inForce };
}

/** Whether the services differ at most in weights, life and limits of their backends. */
function isSameButStates(a: BalancedService, b: BalancedService): boolean {
  return (
    a.address === b.address &&
    a.port === b.port &&
    a.protocol === b.protocol &&
    a.mode === b.mode &&
    a.persistence === b.persistence &&
    a.newFlowsPerSecond === b.newFlowsPerSecond &&
    a.flowsMax === b.flowsMax &&
    a.clientFlowsMax === b.clientFlowsMax &&
    a.allow === b.allow &&
    a.deny === b.deny &&
    samePlaces(a.backends, b.backends) &&
    samePlaces(a.sorry, b.sorry)
  );
}

function samePlaces(a: readonly BalancedBackend[], b: readonly BalancedBackend[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i];
      return other !== undefined && one.id === other.id && one.address === other.address && one.port === other.port;
    })
  );
}
