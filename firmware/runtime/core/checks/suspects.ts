/**
 * Backends that refused clients although their pool's check looks elsewhere (`icmp`, another port, none at all): their
 * own port is asked by TCP until it accepts again, and meanwhile they are dead.
 */
import type { CheckConfig, CheckTiming, Resolved, ResolvedBackend } from "../../../config/resolved.ts";
import type { CheckState } from "../../../health/check.ts";
import type { SystemOrders } from "../../../config/compile-system.ts";
import { deviceTowards } from "../balancer/balanced-services.ts";
import { backendId } from "../balancer/pool-states.ts";
import type { Judgement } from "./backend-health.ts";
import type { CheckRunner } from "./check-runner.ts";
import { judgementOf } from "./judgement.ts";
import { pathOf, sourceFor, type Subject } from "./subjects.ts";

/** One refusal that a client saw and one that this box sees are enough, and so is one connection. */
const TIMING: CheckTiming = { intervalMs: 1_000, timeoutMs: 500, rise: 1, fall: 1 };

/** Whether the pool's check itself sees what a client sees that is refused. */
export function asksByTcp(check: CheckConfig, { port }: ResolvedBackend): boolean {
  switch (check.kind) {
    case "tcp":
    case "http":
    case "https":
      return (check.port ?? port) === port;
    case "dns":
    case "icmp":
    case "none":
      return false;
  }
}

export class Suspects {
  readonly #checks: Pick<CheckRunner, "add" | "drop" | "stateOf">;
  /** By "pool/backend". */
  readonly #subjects = new Map<string, Subject>();

  constructor(checks: Pick<CheckRunner, "add" | "drop" | "stateOf">) {
    this.#checks = checks;
  }

  suspect(pool: string, backend: ResolvedBackend, system: SystemOrders): void {
    const subject = subjectOf(pool, backend, system);
    const id = backendId(pool, backend.name);
    if (this.#subjects.has(id)) return;
    this.#subjects.set(id, subject);
    this.#checks.add(subject);
  }

  /** Those that are still where they were, to be looked at on. */
  configure({ pools }: Resolved): readonly Subject[] {
    for (const [id, { about, address, port }] of this.#subjects) {
      const pool = about.kind === "backend" ? pools.find(({ name }) => name === about.pool) : undefined;
      const backend = pool?.backends.find(({ name }) => id === backendId(pool.name, name));
      if (backend?.address !== address || backend.port !== port) this.#subjects.delete(id);
    }
    return [...this.#subjects.values()];
  }

  /** Of a suspect that accepts connections there is nothing more to say. */
  onVerdict(subject: Subject, { verdict }: CheckState): void {
    const { about, path } = subject;
    if (about.kind !== "backend" || verdict !== "healthy") return;
    const id = backendId(about.pool, about.backend);
    if (this.#subjects.get(id)?.path !== path) return;
    this.#subjects.delete(id);
    this.#checks.drop(path);
  }

  /** Undefined: it is no suspect, or was not found guilty. */
  judgement(id: string): Judgement | undefined {
    const subject = this.#subjects.get(id);
    const state = subject && this.#checks.stateOf(subject.path);
    if (state?.verdict !== "unhealthy") return undefined;
    const { blind, reason } = judgementOf(state);
    return { healthy: false, blind, reason: `${reason}, as clients found: the pool's check does not ask that port` };
  }
}

const SUFFIX = ".port";

function subjectOf(pool: string, { name, address, port }: ResolvedBackend, system: SystemOrders): Subject {
  return {
    path: `${pathOf(pool, name)}${SUFFIX}`,
    about: { kind: "backend", pool, backend: name, at: `${address}:${port}` },
    probe: { kind: "tcp", port: undefined, ...TIMING },
    address,
    device: deviceTowards(system, address),
    port,
    source: sourceFor(system, address),
  };
}
