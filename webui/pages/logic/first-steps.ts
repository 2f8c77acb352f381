/** The way from a bare box to a balanced service: where somebody is on it, and what each step puts into the document. */
import { at, forBox, isTree, listAt, textAt, withAt } from "./document.ts";

export const firstSteps = ["claim", "ports", "addresses", "pair", "service", "drill"] as const;
export type FirstStep = (typeof firstSteps)[number];

export interface Standing {
  readonly document: unknown;
  /** Nothing of it is in force while this is "". */
  readonly revision: string;
  readonly paired: boolean;
  readonly drilled: boolean;
  /** Paths of the document that wait for a commit. */
  readonly pending: readonly string[];
}

export function doneSteps({ document, revision, paired, drilled, pending }: Standing): ReadonlySet<FirstStep> {
  const isInForce = (part: string) => !pending.some((path) => path === part || path.startsWith(`${part}.`));
  const interfaces = listAt(document, "interfaces");
  const done = new Set<FirstStep>(["claim"]);
  if (interfaces.length > 0) done.add("ports");
  if (revision !== "" && interfaces.some((one) => at(one, ["addresses"]) !== undefined)) done.add("addresses");
  if (paired && isTree(at(document, ["pair"])) && isInForce("pair")) done.add("pair");
  if (listAt(document, "services").length > 0 && isInForce("services")) done.add("service");
  if (drilled) done.add("drill");
  return done;
}

/**
 * A step writes its part of the document whole: once that says more than the step asks for, such as what the other box
 * has, it is changed on its own page.
 */
export function mayRepeat(step: FirstStep, document: unknown, skipped: readonly FirstStep[]): boolean {
  if (skipped.includes(step)) return true;
  const isEarly = step === "ports" || step === "addresses";
  const isBare = at(document, ["pair"]) === undefined && listAt(document, "failoverGroups").length === 0;
  return isEarly && isBare && listAt(document, "interfaces").length > 0;
}

export interface PortRow {
  readonly device: string;
  /** "" where the port is not to be used. */
  readonly name: string;
}

const usualNames = ["wan", "lan", "sync"];

/** Ports with a cable come first, as most likely meant. */
export function proposedPorts(ports: readonly { readonly device: string; readonly carrier: boolean }[]) {
  const ordered = [...ports.filter(({ carrier }) => carrier), ...ports.filter(({ carrier }) => !carrier)];
  const names = new Map(ordered.map(({ device }, index) => [device, usualNames[index] ?? ""]));
  return ports.map(({ device }): PortRow => ({ device, name: names.get(device) ?? "" }));
}

export function withPorts(document: unknown, rows: readonly PortRow[]): unknown {
  const interfaces = rows
    .filter(({ name }) => name !== "")
    .map(({ name, device }) => {
      const former = listAt(document, "interfaces").find((one) => textAt(one, "name") === name);
      return { ...former, name, device };
    });
  return withAt(document, ["interfaces"], interfaces);
}

export interface AddressRow {
  readonly name: string;
  /** With prefix lengths, and spaces between. */
  readonly addresses: string;
}

/** `gateway` "" leaves routes as they are. */
export function withAddresses(document: unknown, rows: readonly AddressRow[], gateway: string): unknown {
  const interfaces = listAt(document, "interfaces").map((one) => {
    const row = rows.find(({ name }) => name === textAt(one, "name"));
    return row === undefined ? one : withAt(one, ["addresses"], list(row.addresses));
  });
  const after = withAt(document, ["interfaces"], interfaces);
  if (gateway === "") return after;
  const others = listAt(after, "routes").filter((route) => textAt(route, "to") !== "default");
  return withAt(after, ["routes"], [{ to: "default", via: gateway }, ...others]);
}

export interface PeerRow extends AddressRow {
  readonly device: string;
}

/** The document of a box alone becomes that of a pair: `own` is this box's letter, `rows` are the other one's ports. */
export function withPeer(document: unknown, own: "a" | "b", rows: readonly PeerRow[]): unknown {
  const other = own === "a" ? "b" : "a";
  const each = (mine: unknown, theirs: unknown) => {
    if (mine === undefined && theirs === undefined) return undefined;
    return own === "a" ? { a: mine ?? [], b: theirs ?? [] } : { a: theirs ?? [], b: mine ?? [] };
  };
  const interfaces = listAt(document, "interfaces").map((one) => {
    const row = rows.find(({ name }) => name === textAt(one, "name"));
    if (row === undefined) return one;
    const device = forBox(one["device"], own);
    const addresses = each(forBox(at(one, ["addresses"]), own), list(row.addresses));
    const named = withAt(one, ["device"], device === row.device ? device : each(device, row.device));
    return withAt(named, ["addresses"], addresses);
  });
  const hostname = at(document, ["system", "hostname"]);
  const named =
    typeof hostname === "string"
      ? withAt(document, ["system", "hostname"], { [own]: hostname, [other]: `${hostname}-${other}` })
      : document;
  return withAt(withAt(named, ["interfaces"], interfaces), ["pair"], at(document, ["pair"]) ?? {});
}

export interface ServiceWish {
  readonly interface: string;
  readonly address: string;
  readonly name: string;
  readonly port: string;
  readonly mode: "one-arm" | "nat";
  /** Only with `nat`: where the backends are, and the address that is their gateway. */
  readonly inside: { readonly interface: string; readonly address: string } | undefined;
  /** "10.2.0.11:80", one a line; without a port, the service's. */
  readonly backends: string;
}

export function withFirstService(document: unknown, wish: ServiceWish): unknown {
  const port = numberOr(wish.port);
  const routers = [
    { name: "front", interface: wish.interface, addresses: list(wish.address) ?? [] },
    ...(wish.inside === undefined
      ? []
      : [{ interface: wish.inside.interface, addresses: list(wish.inside.address) ?? [] }]),
  ];
  const paired = isTree(at(document, ["pair"]));
  const group = { name: "edge", ...(paired ? { preferred: "a" } : {}), virtualRouters: routers };
  const backends = (list(wish.backends) ?? []).map((text, index) => {
    const split = /^(.*?)(?::(\d+))?$/.exec(text);
    const isBare = (text.match(/:/g) ?? []).length > 1;
    return {
      name: `s${index + 1}`,
      address: isBare ? text : (split?.[1] ?? text),
      port: isBare || split?.[2] === undefined ? port : Number(split[2]),
    };
  });
  const service = {
    name: wish.name,
    address: "front",
    protocol: "tcp",
    port,
    pool: wish.name,
    ...(wish.mode === "nat" ? {} : { mode: wish.mode }),
  };
  const grouped = withAt(document, ["failoverGroups"], [group]);
  const pooled = withAt(grouped, ["pools"], [{ name: wish.name, backends }]);
  return withAt(pooled, ["services"], [service]);
}

function list(text: string): readonly string[] | undefined {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  return parts.length === 0 ? undefined : parts;
}

function numberOr(text: string): unknown {
  return /^\d{1,5}$/.test(text.trim()) ? Number(text) : text;
}
