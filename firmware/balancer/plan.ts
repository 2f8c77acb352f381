/**
 * The writes that lead from what is in force to what is wanted. A backend that changes its state, which must be in
 * force in a moment, takes a short way: only its services are compiled and compared. Whatever else changes is
 * compiled whole.
 */
import type { BalancerEntry, BalancerWrite } from "@futago/hal/units/balancer.ts";
import { ok, type Result } from "@futago/hal/units/result.ts";
import { atOnce } from "@futago/hal/units/steps.ts";
import {
  type BalancerInput,
  type Compiled,
  compiledOf,
  compileInSteps,
  entriesOf,
  recompiler,
  surveyCompiled,
  surveyEntries,
} from "./compile.ts";
import { diffEntries, diffInSteps } from "./diff.ts";
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
  return atOnce(planInSteps(input, inForce));
}

/** As {@link planChange}; a step is a service or less. */
export function* planInSteps(
  input: BalancerInput,
  inForce: InForce,
): Generator<undefined, Result<Plan, ServiceConflict>> {
  const quick = planStates(input, inForce);
  if (quick !== undefined) return ok(quick);
  const before = inForce.kind === "planned" && inForce.input.seed === input.seed ? inForce.compiled : undefined;
  const ground = before === undefined ? surveyEntries(entriesInForce(inForce)) : surveyCompiled(before);
  const compiled = yield* compileInSteps(input, ground);
  if (!compiled.ok) return compiled;
  const former = before === undefined ? listsOf(entriesInForce(inForce)) : changed(before, compiled.value);
  const next = before === undefined ? all(compiled.value) : changed(compiled.value, before);
  const writes = yield* diffInSteps(former, next);
  return ok({ writes, inForce: { kind: "planned", input, compiled: compiled.value } });
}

/** What tables made anew shall hold, as steps: services and backends keep the numbers that flows know. */
export function compileMoveInSteps(
  input: BalancerInput,
  inForce: InForce,
): Generator<undefined, Result<Compiled, ServiceConflict>> {
  return compileInSteps(input, surveyEntries(entriesInForce(inForce)));
}

/** The writes that lead there from what the new tables hold, `found`. */
export function* planMoveInSteps(
  input: BalancerInput,
  compiled: Compiled,
  found: readonly BalancerEntry[],
): Generator<undefined, Plan> {
  const writes = yield* diffInSteps(listsOf(found), all(compiled));
  return { writes, inForce: { kind: "planned", input, compiled } };
}

/** Entries in lists of a thousand. */
function* listsOf(entries: readonly BalancerEntry[]): Generator<readonly BalancerEntry[]> {
  for (let from = 0; from < entries.length; from += LIST_LENGTH) yield entries.slice(from, from + LIST_LENGTH);
}

const LIST_LENGTH = 1_000;

function* all({ services, hosts }: Compiled): Generator<readonly BalancerEntry[]> {
  for (const { entries } of services) yield entries;
  yield* listsOf(hosts);
}

/** The entries of services that the other has not, or has otherwise. What both have is neither written nor compared. */
function* changed({ services, hosts }: Compiled, other: Compiled): Generator<readonly BalancerEntry[]> {
  for (const service of services) if (other.byIndex.get(service.index) !== service) yield service.entries;
  yield* listsOf(hosts);
}

export function entriesInForce(inForce: InForce): readonly BalancerEntry[] {
  return inForce.kind === "found" ? inForce.entries : entriesOf(inForce.compiled);
}

/** More services than these are changed in steps: each takes a millisecond or two, most of it for its ring. */
const SHORT_SERVICES_MAX = 8;

/** The short way; undefined where more than states of backends changed, or those of many services. */
export function planStates(input: BalancerInput, inForce: InForce): Plan | undefined {
  const short = inForce.kind === "planned" && isSameGround(input, inForce.input);
  return short ? replanStates(input, inForce.compiled) : undefined;
}

function isSameGround(a: BalancerInput, b: BalancerInput): boolean {
  return a.seed === b.seed && a.servicesMax === b.servicesMax && a.own === b.own;
}

function replanStates(input: BalancerInput, before: Compiled): Plan | undefined {
  const { services } = input;
  if (services.length !== before.services.length) return undefined;
  const recompile = recompiler(input.seed);
  let count = 0;
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
    if (++count > SHORT_SERVICES_MAX || !isSameButStates(service, standing.service)) return undefined;
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
