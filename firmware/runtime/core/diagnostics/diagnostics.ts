/** What a person lets the box ask others: one thing at a time each, and few in all. */
import { randomInt } from "node:crypto";
import { HalError } from "@futago/hal/contract/error.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { DiagnosticStreams } from "../../control-ports.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { badParameter, checkedQuery } from "../control/handlers.ts";
import { type EchoMachine, Echoes } from "./echoes.ts";
import { ping } from "./ping.ts";
import type { Targets } from "./target.ts";
import { traceroute } from "./traceroute.ts";

const AT_A_TIME_MAX = 8;
const COUNT_DEFAULT = 4;
const COUNT_MAX = 100;

type Stream = keyof DiagnosticStreams;

/** Begins a stream; what it resolves to ends it before its time. Rejects with RefusalError. */
export type Begin<Name extends Stream> = (
  query: DiagnosticStreams[Name]["params"],
  tell: (event: DiagnosticStreams[Name]["event"]) => void,
  asker: unknown,
) => Promise<() => void>;

export class Diagnostics {
  readonly #machine: EchoMachine;
  readonly #targets: Targets;
  readonly #askers = new Map<unknown, AbortController>();
  readonly #ids = new Set<number>();

  constructor(machine: EchoMachine, targets: Targets) {
    this.#machine = machine;
    this.#targets = targets;
  }

  /** Its part of what can be begun. */
  get begun(): { readonly [Name in Stream]: Begin<Name> } {
    return {
      ping: async (query, tell, asker) => {
        const { to, count = COUNT_DEFAULT } = checkedQuery(query, { to: "text", count: "count" });
        if (!Number.isInteger(count) || count > COUNT_MAX)
          throw badParameter(`count is a whole number from 1 to ${COUNT_MAX}`);
        return this.#begin(asker, to, (echoes, address, signal) => ping(echoes, address, count, tell, signal));
      },
      traceroute: async (query, tell, asker) => {
        const { to } = checkedQuery(query, { to: "text" });
        return this.#begin(asker, to, (echoes, address, signal) => traceroute(echoes, address, tell, signal));
      },
    };
  }

  close(): void {
    for (const running of this.#askers.values()) running.abort();
  }

  async #begin(
    asker: unknown,
    to: string | undefined,
    run: (echoes: Echoes, address: IpAddress, signal: AbortSignal) => Promise<void>,
  ): Promise<() => void> {
    if (to === undefined) throw badParameter("to is an address or a name");
    if (this.#askers.has(asker)) throw busy("you let the box ask somebody already");
    if (this.#askers.size >= AT_A_TIME_MAX) throw busy(`${AT_A_TIME_MAX} people let the box ask somebody already`);
    const running = new AbortController();
    this.#askers.set(asker, running);
    try {
      const address = await this.#targets.find(to);
      const id = this.#newId();
      const echoes = this.#open(address, id);
      const over = () => {
        echoes.close();
        this.#ids.delete(id);
        this.#askers.delete(asker);
      };
      running.signal.addEventListener("abort", over);
      void run(echoes, address, running.signal).finally(over);
    } catch (error) {
      this.#askers.delete(asker);
      throw error;
    }
    return () => running.abort();
  }

  #open(address: IpAddress, id: number): Echoes {
    try {
      return new Echoes(this.#machine, address, id);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      throw new RefusalError({ exitCode: ExitCode.failed, what: `the kernel refuses: ${error.message}` });
    }
  }

  /** The checks' requests have this process's number. */
  #newId(): number {
    let id = process.pid & 0xffff;
    while (id === (process.pid & 0xffff) || this.#ids.has(id)) id = randomInt(0x1_0000);
    this.#ids.add(id);
    return id;
  }
}

function busy(what: string): RefusalError {
  const mend = "Wait for its end, or end it.";
  return new RefusalError({ exitCode: ExitCode.conflict, what, mend, reason: "diagnosticsBusy" });
}
