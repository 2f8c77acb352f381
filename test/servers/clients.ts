/** What the client does with the servers, by the programs that people use: curl, ssh, drill, iperf3. */
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Namespace } from "../netns/namespaces.ts";
import type { Cargo } from "./servers.ts";

const TIMEOUT_MILLIS = 40_000;
const SECONDS_MAX = "30";
const BUSY_MILLIS_MAX = 10_000;

/** An address as a URL has it. */
export function host(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

export function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

export class Clients {
  readonly #namespace: Namespace;
  /** Holds the keys that ssh needs, and what the client receives. */
  readonly #directory: string;

  constructor(namespace: Namespace, directory: string) {
    this.#namespace = namespace;
    this.#directory = directory;
  }

  /** Fetches a file several times over one connection; returns the number of connections, and the SHA-256 of each. */
  async fetch(vip: string, cargo: Cargo, times = 1): Promise<{ connections: number; hashes: readonly string[] }> {
    const files = Array.from({ length: times }, (_, i) => join(this.#directory, `fetched-${i}`));
    const url = `http://${host(vip)}/cargo/${cargo.name}`;
    const each = files.flatMap((file) => ["-o", file, url]);
    const counts = await this.#run("curl", "-sS", "--fail", "-m", SECONDS_MAX, "-w", "%{num_connects}\n", ...each);
    const connections = counts.split("\n").reduce((sum, count) => sum + Number(count), 0);
    return { connections, hashes: files.map(sha256) };
  }

  /** Brings a file; nginx puts it into its directory `put`. */
  async bring(vip: string, cargo: Cargo, as: string): Promise<void> {
    await this.#run("curl", "-sS", "--fail", "-m", SECONDS_MAX, "-T", cargo.path, `http://${host(vip)}/put/${as}`);
  }

  /** What the DNS server says, as drill(1) prints it. `flags` such as "-t" for TCP. */
  ask(vip: string, name: string, type: string, ...flags: readonly string[]): Promise<string> {
    return this.#run("drill", ...flags, name, `@${vip}`, type);
  }

  /** Runs a command at the server; returns what it prints. */
  ssh(vip: string, command: string): Promise<string> {
    return this.#run("ssh", ...this.#sshOptions(), `root@${vip}`, command);
  }

  /** The SHA-256 of a file as the server's sha256sum sees it come, and of what `cat` sends back of it. */
  async sshBothWays(vip: string, cargo: Cargo): Promise<readonly string[]> {
    const pipes = ['"$@" sha256sum <"$FILE"', '"$@" "cat $FILE" </dev/null | sha256sum'];
    const hashes: string[] = [];
    for (const pipe of pipes) {
      const argv = ["sh", "-c", `FILE=${cargo.path}; ${pipe}`, "sh", "ssh", ...this.#sshOptions(), `root@${vip}`];
      hashes.push((await this.#run(...argv)).split(" ")[0] ?? "");
    }
    return hashes;
  }

  /** Copies a file from the server by scp; returns the SHA-256 of the copy. */
  async scp(vip: string, cargo: Cargo): Promise<string> {
    const copy = join(this.#directory, "copied");
    await this.#run("scp", "-q", ...this.#sshOptions(), `root@${host(vip)}:${cargo.path}`, copy);
    return sha256(copy);
  }

  /** A shell at the server that stays open. */
  shell(vip: string): Shell {
    const argv = ["ssh", ...this.#sshOptions(), `root@${vip}`, "sh"];
    return new Shell(this.#namespace.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  /**
   * An iperf3 test; returns the summary of what was received. `flags` such as "-R" for the other direction. Its server
   * does one test at a time, and is done with one only a little later than the client.
   */
  async iperf(vip: string, ...flags: readonly string[]): Promise<Received> {
    const argv = ["iperf3", "--json", "--connect-timeout", "5000", "--client", vip, ...flags];
    const deadline = Date.now() + BUSY_MILLIS_MAX;
    for (;;) {
      const { stdout } = await this.#namespace.tryRun(argv, { timeoutMillis: TIMEOUT_MILLIS });
      const { end, error } = JSON.parse(stdout) as IperfReport;
      const received = end?.sum_received ?? end?.sum;
      if (error === undefined && received !== undefined) return received;
      if (error?.includes("server is busy") !== true || Date.now() > deadline)
        throw new Error(`iperf3 ${flags.join(" ")}: ${error ?? "nothing received"}`);
      await wait(50);
    }
  }

  /**
   * Sends datagrams that must not be fragmented until the kernel refuses one; returns why, and how large a packet to
   * there may be by what it has learned.
   */
  async sendTooBig(vip: string, port: number, bytes: number): Promise<{ error: string; width: number }> {
    const said = (await this.#run("python3", "-c", SEND_TOO_BIG, vip, String(port), String(bytes))).trim().split(" ");
    return { error: said[0] ?? "", width: Number(said[1]) };
  }

  #sshOptions(): readonly string[] {
    const options = { UserKnownHostsFile: join(this.#directory, "known_hosts"), BatchMode: "yes", ConnectTimeout: 5 };
    const words = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    return ["-F", "none", "-i", join(this.#directory, "client_key"), ...words];
  }

  #run(...argv: readonly string[]): Promise<string> {
    return this.#namespace.run(argv, { timeoutMillis: TIMEOUT_MILLIS });
  }
}

interface IperfReport {
  readonly end?: { readonly sum_received?: Received; readonly sum?: Received };
  readonly error?: string;
}

export interface Received {
  readonly bytes: number;
  /** UDP only. */
  readonly lost_packets?: number;
  readonly packets?: number;
}

/** Numbers of ip(7) and ipv6(7) that Python has no names for: …_MTU_DISCOVER, IP_PMTUDISC_DO, …_MTU. */
const SEND_TOO_BIG = `
import errno, socket, sys, time
vip, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
six = ":" in vip
level, discover, width = (socket.IPPROTO_IPV6, 23, 24) if six else (socket.IPPROTO_IP, 10, 14)
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(level, discover, 2)
s.connect((vip, port))
said = "none"
for _ in range(60):
    try:
        s.send(bytes(size))
    except OSError as error:
        said = errno.errorcode[error.errno]
        break
    time.sleep(0.05)
print(said, s.getsockopt(level, width))`;

/** A shell on another host, line by line. */
export class Shell {
  readonly #child: ChildProcess;
  #said = "";
  #ended = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (data: Buffer) => (this.#said += data.toString()));
    child.once("close", () => (this.#ended = true));
  }

  /** Gives it a command; resolves to the line that it answers. */
  async ask(command: string): Promise<string> {
    this.#said = "";
    this.#child.stdin?.write(`${command}\n`);
    const deadline = Date.now() + TIMEOUT_MILLIS;
    while (!this.#said.endsWith("\n")) {
      if (this.#ended || Date.now() > deadline) throw new Error(`the shell says nothing to ${command}`);
      await wait(10);
    }
    return this.#said.trim();
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
