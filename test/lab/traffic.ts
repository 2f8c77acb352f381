/** The client's traffic, as running programs whose newest counts can be read: HTTP requests and an iperf3 stream. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../netns/namespaces.ts";
import { STREAM_PORT } from "./document.ts";
import type { HttpCounts, HttpFailure, HttpGap } from "./http-load.ts";
import { VIP } from "./topology.ts";

const HTTP_LOAD = fileURLToPath(new URL("http-load.ts", import.meta.url));
const STREAM_SECONDS = 86_400;
const GAPS_MAX = 1_000;
const FAILURES_MAX = 20_000;

const NOTHING: HttpCounts = {
  kind: "http",
  started: 0,
  served: 0,
  failed: {},
  late: 0,
  byServer: {},
  byAddress: {},
  keptOpen: 0,
  keptBroken: 0,
  keptHung: 0,
  keptServed: 0,
};

export interface HttpLoad {
  /** Asked in turn. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly requestsPerSecond: number;
  readonly keptConnections: number;
}

export class HttpTraffic {
  readonly #process: ChildProcess;
  #counts = NOTHING;
  readonly #gaps: HttpGap[] = [];
  readonly #failures: HttpFailure[] = [];

  constructor(client: Namespace, { addresses, port, requestsPerSecond, keptConnections }: HttpLoad) {
    const load = [port, requestsPerSecond, keptConnections].map(String);
    const argv = [process.execPath, HTTP_LOAD, addresses.join(","), ...load];
    this.#process = client.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#process.stdout === null) throw new Error("the HTTP client has no output");
    createInterface({ input: this.#process.stdout }).on("line", (text) => {
      this.#take(JSON.parse(text) as HttpCounts | HttpGap | HttpFailure);
    });
  }

  /** How many requests that began after `since` have failed until now. */
  failedSince(since: number): number {
    return this.#failures.filter((failure) => failure.askedAt >= since).length;
  }

  /** The longest time without a page that ended after `since`; undefined when there was none of 50 ms. */
  longestGap(since: number): HttpGap | undefined {
    const gaps = this.#gaps.filter((gap) => gap.end >= since);
    return gaps.toSorted((one, other) => other.end - other.start - (one.end - one.start))[0];
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get counts(): HttpCounts {
    return this.#counts;
  }

  get failures(): number {
    return failuresOf(this.#counts);
  }

  #take(line: HttpCounts | HttpGap | HttpFailure): void {
    switch (line.kind) {
      case "http":
        this.#counts = line;
        return;
      case "gap":
        this.#gaps.push(line);
        if (this.#gaps.length > GAPS_MAX) this.#gaps.shift();
        return;
      case "failure":
        this.#failures.push(line);
        if (this.#failures.length > FAILURES_MAX) this.#failures.splice(0, FAILURES_MAX / 2);
        return;
    }
  }
}

/** Requests on new connections that got no answer. */
export function failuresOf(counts: HttpCounts): number {
  return Object.values(counts.failed).reduce((sum, count) => sum + count, 0);
}

/** One TCP stream from the client through the VIP, slow enough to leave the machine to what is measured. */
export class Stream {
  readonly #process: ChildProcess;
  #megabits = 0;
  #intervals = 0;
  #lastLine = "";

  constructor(client: Namespace, megabitsPerSecond: number) {
    const argv = ["iperf3", "--client", VIP, "--port", String(STREAM_PORT), "--time", String(STREAM_SECONDS)];
    const pace = ["--bitrate", `${megabitsPerSecond}M`, "--interval", "0.5", "--format", "m", "--forceflush"];
    this.#process = client.spawn([...argv, ...pace], { stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [this.#process.stdout, this.#process.stderr]) {
      if (output === null) throw new Error("iperf3 has no output");
      createInterface({ input: output }).on("line", (line) => this.#take(line));
    }
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Mbit/s that the connection took in the newest half second. */
  get megabitsPerSecond(): number {
    return this.alive ? this.#megabits : 0;
  }

  /** Half seconds in which data went through. */
  get movingIntervals(): number {
    return this.#intervals;
  }

  /** What iperf3 said last: the reason, once it has ended. */
  get lastLine(): string {
    return this.#lastLine;
  }

  #take(line: string): void {
    this.#lastLine = line;
    const rate = /sec\s+[\d.]+ \w?Bytes\s+([\d.]+) Mbits\/sec/.exec(line)?.[1];
    if (rate === undefined) return;
    this.#megabits = Number(rate);
    if (this.#megabits > 0) this.#intervals += 1;
  }
}

/** iperf3's server; TCP over IPv4 only, where {@link Stream} comes in. */
export function startStreamServer(host: Namespace): ChildProcess {
  return host.spawn(["iperf3", "--server", "-4", "--port", String(STREAM_PORT)], { stdio: "ignore" });
}
