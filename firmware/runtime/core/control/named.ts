/** What somebody named on the command line: the service, the backend, the client, or a refusal that helps. Pure. */
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { meantOr } from "../../../config/nearest.ts";
import { lookup } from "../../../config/lookup.ts";
import type { Resolved, ResolvedBackend, ResolvedService } from "../../../config/resolved.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";

export interface NamedBackend {
  readonly pool: string;
  readonly backend: ResolvedBackend;
}

export function serviceNamed(config: Resolved, name: string): ResolvedService {
  const found = lookup(config).services.get(name);
  if (found !== undefined) return found;
  const names = config.services.map((service) => service.name);
  throw refuse(`there is no service ${quote(name)}`, meantOr(name, names, `The services are ${list(names)}.`));
}

/** "web/s1", or "s1" when one pool alone has a backend of that name. */
export function backendNamed(config: Resolved, text: string): NamedBackend {
  const found = [...namedSo(config, text)];
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  if (first === undefined) {
    const names = likely(config, text);
    const words = [...names, ...names.map((name) => name.slice(name.indexOf("/") + 1))];
    throw refuse(`there is no backend ${quote(text)}`, meantOr(text, words, `The backends are ${list(names)}.`));
  }
  const ways = found.slice(0, SHOWN_MAX).map(backendName);
  if (found.length > ways.length) ways.push(`one of ${found.length - ways.length} more`);
  throw refuse(`${quote(text)} is a backend of more than one pool`, `Say which: ${ways.join(" or ")}.`);
}

function* namedSo(config: Resolved, text: string): Generator<NamedBackend> {
  for (const pool of config.pools) {
    // Only one pool's names begin so; most need not be put together.
    const name = text.startsWith(`${pool.name}/`) ? text.slice(pool.name.length + 1) : undefined;
    for (const backend of pool.backends) {
      if (backend.name === text || backend.name === name) yield { pool: pool.name, backend };
    }
  }
}

/** The names that somebody may have meant: all of them, or in a large configuration those of the pools that he may have. */
function likely(config: Resolved, text: string): readonly string[] {
  const [pool = ""] = text.split("/");
  const nearest = [...config.pools].sort((a, b) => Number(b.name === pool) - Number(a.name === pool));
  const names: string[] = [];
  for (const { name, backends } of nearest) {
    if (names.length > 0 && names.length + backends.length > LIKELY_MAX) break;
    for (const backend of backends) names.push(backendName({ pool: name, backend }));
  }
  return names;
}

export function backendName({ pool, backend }: NamedBackend): string {
  return `${pool}/${backend.name}`;
}

export function clientNamed(text: unknown): IpAddress {
  const address = typeof text === "string" ? parseIpAddress(text) : undefined;
  if (address !== undefined) return address;
  throw refuse(`${quote(text)} is no IP address`, "Write a client's address, such as 198.51.100.7 or 2001:db8::7.");
}

const SHOWN_MAX = 12;
/** To compare with what was written takes a microsecond for each. */
const LIKELY_MAX = 4_096;

function list(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const rest = names.length > SHOWN_MAX ? `, and ${names.length - SHOWN_MAX} more` : "";
  return names.slice(0, SHOWN_MAX).join(", ") + rest;
}

function refuse(what: string, mend: string): RefusalError {
  const sentence = mend.startsWith("did you mean") ? `D${mend.slice(1)}?` : mend;
  return new RefusalError({ exitCode: ExitCode.failed, what, mend: sentence });
}

function quote(text: unknown): string {
  return JSON.stringify(text) ?? "nothing";
}
