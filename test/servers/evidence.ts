/** What must never be seen, watched all the time: false checksums, and packets that the box should have translated. */
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { CLIENT, ENDS, FAMILIES, SERVERS, type ServersNetwork, VIPS } from "./network.ts";

/** Sums the counters of a host whose names say that a checksum was false: IPv4, IPv6, TCP, UDP, ICMP. */
async function falseChecksums(net: ServersNetwork, name: (typeof ENDS)[number]): Promise<number> {
  const text = await net[name].run(["cat", "/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6"]);
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  let sum = 0;
  let seen = 0;
  const count = (counter: string, value: string | undefined) => {
    if (!counter.endsWith("CsumErrors")) return;
    seen += 1;
    sum += Number(value);
  };
  lines.forEach(([head = "", ...rest], row) => {
    // snmp and netstat: a line of names, then one of values. snmp6: a name and a value.
    if (!head.endsWith(":")) count(head, rest[0]);
    else if (lines[row + 1]?.[0] === head) rest.forEach((counter, i) => count(counter, lines[row + 1]?.[i + 1]));
  });
  // Tcp, Udp, UdpLite, Icmp, IpExt, MPTcpExt, Icmp6, Udp6, UdpLite6 on the kernels of today; at least the first ones.
  if (seen < 6) throw new Error(`only ${seen} counters of checksums in ${text}`);
  return sum;
}

/** Of the packets at one end that should not be. */
const SHOWN_MAX = 5;

export class Evidence {
  readonly #net: ServersNetwork;
  readonly #watches: readonly Watch[];

  private constructor(net: ServersNetwork, watches: readonly Watch[]) {
    this.#net = net;
    this.#watches = watches;
  }

  static async start(net: ServersNetwork): Promise<Evidence> {
    const [port] = JSON.parse(await net.box.ip("-j link show dev eth0")) as { address: string }[];
    const filters = { client: atClient(), server: atServer(), beside: atBeside(port?.address ?? "") };
    const watches = ENDS.map((name) => new Watch(net[name].spawn(tcpdump(filters[name]), STDIO), name));
    await Promise.all(watches.map((watch) => watch.listening));
    return new Evidence(net, watches);
  }

  /** Sentences; none when all is well. */
  async complaints(): Promise<readonly string[]> {
    const counts = await Promise.all(ENDS.map((name) => falseChecksums(this.#net, name)));
    const checksums = ENDS.flatMap((name, i) => (counts[i] === 0 ? [] : [`${counts[i]} false checksums at ${name}`]));
    const packets = this.#watches.flatMap(({ name, lines }) =>
      lines.slice(0, SHOWN_MAX).map((line) => `at ${name}: ${line}`),
    );
    return [...checksums, ...packets];
  }

  /** Lets a packet come that each watch is told to show, and waits until it does: it looks at what it should. */
  async prove(): Promise<void> {
    const pings = [this.#net.home, this.#net.site, this.#net.near].map((router, i) =>
      router.run(["ping", "-c", "1", "-W", "5", PROOFS[i]?.to ?? ""]),
    );
    await Promise.all(pings);
    await Promise.all(this.#watches.map((watch) => watch.seen("ICMP echo request")));
  }
}

const STDIO: SpawnOptions = { stdio: ["ignore", "pipe", "pipe"] };

/** A ping that a router of the end's own sends it: only what proves that the watch works. */
const PROOFS = [
  { to: CLIENT.ipv4, from: "10.9.0.254" },
  { to: SERVERS.ipv4.nat, from: "10.4.0.254" },
  { to: SERVERS.ipv4.direct, from: "10.1.0.254" },
] as const;

function tcpdump(filter: string): readonly string[] {
  return ["tcpdump", "-i", "eth0", "-Q", "in", "-nn", "-l", "--immediate-mode", filter];
}

const proof = (i: 0 | 1 | 2) => `(icmp[icmptype] == icmp-echo and src host ${PROOFS[i].from})`;

/** A reply in a server's own name. */
function atClient(): string {
  const own = "src net 10.4.0.0/24 or src host 10.1.0.13 or src net fd00:4::/64 or src host fd00:1::13";
  return `${own} or ${proof(0)}`;
}

/** What is still addressed to a VIP, and what `one-arm` leaves in the client's name. */
function atServer(): string {
  const cells = FAMILIES.flatMap((family) => [
    `dst host ${VIPS[family].nat} or dst host ${VIPS[family]["one-arm"]}`,
    `(src host ${CLIENT[family]} and dst host ${SERVERS[family]["one-arm"]})`,
  ]);
  return `${cells.join(" or ")} or ${proof(1)}`;
}

/** What came to the VIP of `direct` by another way than the box. */
function atBeside(mac: string): string {
  const vips = FAMILIES.map((family) => `dst host ${VIPS[family].direct}`);
  return `((ip or ip6) and (${vips.join(" or ")}) and not ether src ${mac}) or ${proof(2)}`;
}

class Watch {
  readonly name: string;
  readonly listening: Promise<void>;
  #text = "";

  constructor(child: ChildProcess, name: string) {
    this.name = name;
    child.stdout?.on("data", (data: Buffer) => (this.#text += data.toString()));
    this.listening = new Promise((resolve, reject) => {
      let errors = "";
      child.stderr?.on("data", (data: Buffer) => {
        errors += data.toString();
        if (errors.includes("listening on")) resolve();
      });
      child.once("close", () => reject(new Error(`tcpdump at ${name} ended: ${errors}`)));
    });
  }

  get lines(): readonly string[] {
    return this.#text.split("\n").filter((line) => line !== "");
  }

  /** Waits for a line with these words, and forgets it. */
  async seen(words: string): Promise<void> {
    const deadline = Date.now() + 5_000;
    while (!this.#text.includes(words)) {
      if (Date.now() > deadline) throw new Error(`the watch at ${this.name} does not show ${words}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#text = this.lines.filter((line) => !line.includes(words)).join("\n");
  }
}
