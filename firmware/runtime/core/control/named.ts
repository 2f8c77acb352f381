/** What somebody named on the command line: the service, the backend, the client, or a refusal that helps. Pure. */
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { meantOr } from "../../../config/nearest.ts";
import type { Resolved, ResolvedBackend, ResolvedService } from "../../../config/resolved.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";

export interface NamedBackend {
  readonly pool: string;
  readonly backend: ResolvedBackend;
}

export function serviceNamed(config: Resolved, name: string): ResolvedService {
  const names = config.services.map((service) => service.name);
  const found = config.services.find((service) => service.name === name);
  if (found !== undefined) return found;
  throw refuse(`there is no service ${quote(name)}`, meantOr(name, names, `The services are ${list(names)}.`));
}

/** "web/s1", or "s1" when one pool alone has a backend of that name. */
export function backendNamed(config: Resolved, text: string): NamedBackend {
  const all = config.pools.flatMap((pool) => pool.backends.map((backend) => ({ pool: pool.name, backend })));
  const found = all.filter((one) => text === backendName(one) || text === one.backend.name);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const names = all.map(backendName);
  if (first === undefined) {
    const words = [...names, ...all.map(({ backend }) => backend.name)];
    throw refuse(`there is no backend ${quote(text)}`, meantOr(text, words, `The backends are ${list(names)}.`));
  }
  throw refuse(
    `${quote(text)} is a backend of more than one pool`,
    `Say which: ${found.map(backendName).join(" or ")}.`,
  );
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
