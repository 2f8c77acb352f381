/** The servers: nginx, nsd, iperf3 and sshd, each on a host of its own, with files in a directory. */
import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { listensOn } from "../lab/processes.ts";
import type { Namespace } from "../netns/namespaces.ts";
import { KNOWN, PORTS } from "./document.ts";

const LISTEN_MILLIS_MAX = 10_000;
export const LARGE_BYTES = 50_000_000;
export const SMALL_BYTES = 2_000_000;

/** What is fetched and brought: files of random bytes with their SHA-256. */
export interface Cargo {
  readonly name: "large" | "small";
  readonly path: string;
  readonly sha256: string;
}

export function makeCargo(directory: string, name: Cargo["name"], bytes: number): Cargo {
  const content = randomBytes(bytes);
  const path = join(directory, name);
  writeFileSync(path, content);
  return { name, path, sha256: createHash("sha256").update(content).digest("hex") };
}

/** The strings of the TXT record "big": together more than two frames can hold. */
export const BIG_STRINGS = Array.from({ length: 15 }, (_, i) => `${i}:${String.fromCharCode(97 + i).repeat(240)}`);

export interface Host {
  readonly namespace: Namespace;
  /** Its own files. */
  readonly directory: string;
  /** Where nsd and iperf3 listen: they answer from that address. */
  readonly addresses: readonly string[];
  /** How long they may take to listen; default 10,000. */
  readonly listenMillisMax?: number;
  /** Then nginx also serves HTTPS, by this name alone. */
  readonly tls?: { readonly name: string; readonly key: string; readonly cert: string };
}

/** A server that can be stopped and started again. */
export interface Server {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Servers {
  readonly http: Server;
  readonly dns: Server;
  readonly stream: Server;
  readonly ssh: Server;
  /** nginx's, a line for each request: client's address, server's address, method, path, status. */
  requests(): readonly string[];
}

/** Starts all of them on a host. What the client brings by HTTP lies in `put/` of the directory afterwards. */
export async function startServers(host: Host, shared: string): Promise<Servers> {
  const { directory } = host;
  mkdirSync(join(directory, "put"), { recursive: true });
  writeFileSync(join(directory, "index.html"), "served by nginx\n");
  writeFileSync(join(directory, "nginx.conf"), nginxConfiguration(host, shared));
  writeFileSync(join(directory, "nsd.conf"), nsdConfiguration(host));
  writeFileSync(join(directory, "example.test.zone"), zone());
  writeFileSync(join(directory, "sshd.conf"), sshdConfiguration(shared));
  const servers = {
    http: server(host, [["nginx", "-p", directory, "-c", "nginx.conf", "-e", "stderr"]], PORTS.http),
    dns: server(host, [["nsd", "-d", "-c", join(directory, "nsd.conf")]], PORTS.dns),
    stream: server(
      host,
      host.addresses.map((address) => ["iperf3", "--server", "--bind", address]),
      PORTS.stream,
    ),
    // sshd wants a directory in /run: it is there for it alone.
    ssh: server(host, [["unshare", "--mount", "sh", "-c", SSHD, "sh", join(directory, "sshd.conf")]], PORTS.ssh),
  };
  await Promise.all(Object.values(servers).map((one) => one.start()));
  const requests = () => readFileSync(join(directory, "access.log"), "utf8").trim().split("\n");
  return { ...servers, requests };
}

/** Newer ones punish addresses that connect and say nothing, as a check does; older ones do not know the word. */
const SSHD = `mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || exit 1
set -- /usr/sbin/sshd -e -f "$1"
if "$@" -t -o PerSourcePenalties=no 2>/dev/null; then set -- "$@" -o PerSourcePenalties=no; fi
exec "$@" -D`;

/** `commands` are what one server consists of; it runs when each listens on the TCP port. */
function server(host: Host, commands: readonly (readonly string[])[], port: number): Server {
  let children: readonly ChildProcess[] = [];
  return {
    start: async () => {
      children = commands.map((argv) => host.namespace.spawn(argv, { stdio: ["ignore", "ignore", "pipe"] }));
      const limit = host.listenMillisMax ?? LISTEN_MILLIS_MAX;
      await Promise.all(children.map((child) => listening(child, port, limit)));
    },
    stop: async () => {
      const ended = children.map((child) => new Promise((resolve) => child.once("close", resolve)));
      for (const child of children) child.kill("SIGTERM");
      await Promise.all(ended);
    },
  };
}

async function listening(child: ChildProcess, port: number, limitMillis: number): Promise<void> {
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => (errors += text.toString()));
  const deadline = Date.now() + limitMillis;
  while (!listensOn(child.pid, port)) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) throw new Error(`${child.spawnargs.join(" ")} does not listen: ${errors}`);
    await wait(20);
  }
}

function nginxConfiguration({ directory, tls }: Host, shared: string): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
user root;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  log_format seen '$remote_addr $server_addr $request_method $uri $status';
  access_log ${directory}/access.log seen;
  default_type application/octet-stream;
  sendfile on;
${paths.map((path) => `  ${path}_temp_path ${directory}/${path};`).join("\n")}
  server {
    listen 80;
    listen [::]:80;
    root ${directory};
    location /cargo/ { alias ${shared}/; }
    location /put/ { dav_methods PUT; client_max_body_size 100m; }
  }
${tls === undefined ? "" : tlsServers(tls, directory)}
}
`;
}

function tlsServers({ name, key, cert }: NonNullable<Host["tls"]>, directory: string): string {
  writeFileSync(join(directory, "tls.key"), key);
  writeFileSync(join(directory, "tls.pem"), cert);
  return `  server {
    listen 443 ssl default_server;
    ssl_reject_handshake on;
  }
  server {
    listen 443 ssl;
    server_name ${name};
    ssl_certificate ${directory}/tls.pem;
    ssl_certificate_key ${directory}/tls.key;
    root ${directory};
  }`;
}

/** Answers of 8 KB by UDP where the client takes them; IPv6 sends them in fragments of 1,280 bytes. */
function nsdConfiguration({ addresses, directory }: Host): string {
  return `server:
  server-count: 1
${addresses.map((address) => `  ip-address: ${address}`).join("\n")}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${directory}"
  pidfile: "${directory}/nsd.pid"
  xfrdfile: "${directory}/xfrd.state"
  zonelistfile: "${directory}/zone.list"
  xfrdir: "${directory}"
  ipv4-edns-size: 8192
  ipv6-edns-size: 8192
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: example.test.zone
`;
}

function zone(): string {
  return `$ORIGIN example.test.
$TTL 300
@ IN SOA ns admin 1 3600 900 604800 300
@ IN NS ns
ns IN A 192.0.2.53
${KNOWN.name}. IN A ${KNOWN.address}
big IN TXT ${BIG_STRINGS.map((text) => `"${text}"`).join(" ")}
`;
}

function sshdConfiguration(shared: string): string {
  return `HostKey ${shared}/host_key
AuthorizedKeysFile ${shared}/client_key.pub
Subsystem sftp internal-sftp
PidFile none
UsePAM no
StrictModes no
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
LogLevel ERROR
`;
}
