/** The box's configuration: in each mode and family the same five kinds of service. */
import { DEVICES, FAMILIES, type Family, MODES, type Mode, SERVERS, VIPS, type Wire } from "./network.ts";

export const PORTS = { http: 80, dns: 53, stream: 5201, ssh: 22 } as const;
/** The name that the DNS servers know, and its address. */
export const KNOWN = { name: "www.example.test", address: "192.0.2.80" } as const;

/** VLANs are tried on emulated machines, where sshd takes long over each connection. */
const PACES: Readonly<Record<Wire, object>> = {
  ports: { intervalMs: 500, timeoutMs: 250, rise: 1, fall: 2 },
  vlans: { intervalMs: 10_000, timeoutMs: 5_000, rise: 1, fall: 2 },
};
const CHECKS = {
  http: { type: "http", path: "/", expectBody: "served by nginx" },
  dns: { type: "dns", query: KNOWN.name, expectAnswer: KNOWN.address },
  // A TCP check would look to iperf3 like a client that says nothing.
  stream: { type: "icmp" },
  ssh: { type: "tcp" },
} as const;
type Kind = keyof typeof CHECKS;
const KINDS = Object.keys(CHECKS) as readonly Kind[];
const BOTH: ReadonlySet<Kind> = new Set<Kind>(["dns", "stream"]);

/** Such as "http-one-arm-ipv6". */
export function nameOf(kind: Kind, mode: Mode, family: Family): string {
  return `${kind}-${mode}-${family}`;
}

const CELLS = FAMILIES.flatMap((family) =>
  MODES.flatMap((mode) => KINDS.map((kind) => ({ kind, mode, family, pool: nameOf(kind, mode, family) }))),
);

const REST = {
  routes: [
    { to: "10.9.0.0/24", via: "10.1.0.254" },
    { to: "fd00:9::/64", via: "fd00:1::fe" },
    { to: "10.4.0.0/24", via: "10.2.0.254" },
    { to: "fd00:4::/64", via: "fd00:2::fe" },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        router(
          "wan",
          10,
          MODES.map((mode) => `${VIPS.ipv4[mode]}/24`),
        ),
        router(
          "wan",
          10,
          MODES.map((mode) => `${VIPS.ipv6[mode]}/64`),
        ),
        router("lan", 11, ["10.2.0.1/24"]),
        router("lan", 11, ["fd00:2::1/64"]),
      ],
    },
  ],
  services: CELLS.flatMap(({ kind, mode, family, pool }) =>
    (BOTH.has(kind) ? (["tcp", "udp"] as const) : (["tcp"] as const)).map((protocol) => ({
      name: BOTH.has(kind) ? `${pool}-${protocol}` : pool,
      address: VIPS[family][mode],
      protocol,
      port: PORTS[kind],
      pool,
      mode,
    })),
  ),
};

function router(name: string, vrid: number, addresses: readonly string[]): unknown {
  return { interface: name, vrid, addresses, advertisementIntervalMs: 100 };
}

export function documentFor(wire: Wire): unknown {
  const { wan, lan } = DEVICES[wire];
  const interfaces = [
    { name: "wan", device: wan, addresses: ["10.1.0.2/24", "fd00:1::2/64"] },
    { name: "lan", device: lan, addresses: ["10.2.0.2/24", "fd00:2::2/64"] },
  ];
  const pools = CELLS.map(({ kind, mode, family, pool }) => ({
    name: pool,
    backends: [{ name: "s", address: SERVERS[family][mode], port: PORTS[kind] }],
    check: { ...CHECKS[kind], ...PACES[wire] },
  }));
  return { interfaces, pools, ...REST };
}
