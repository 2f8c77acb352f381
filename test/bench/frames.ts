/** The generator of frames (`frames/`): compiled for a run of the bench, one process for each box. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../netns/namespaces.ts";
import { ACK, SYN, tcp6Frame, tcpFrame } from "../xdp/packet.ts";

const SOURCES = fileURLToPath(new URL("frames", import.meta.url));
/** Where clients are: RFC 2544 for IPv4, RFC 3849 for IPv6. */
export const CLIENTS = "198.18.0.0";
export const CLIENTS6 = "2001:db8:f::";
/** Of Ethernet without its checksum: an IPv4 packet without data needs padding. */
const FRAME_BYTES_MIN = 60;

export interface BuiltFrames {
  readonly program: string;
  readonly object: string;
}

export function buildFrames(directory: string): BuiltFrames {
  const [object, program] = [join(directory, "frames.bpf.o"), join(directory, "frames")];
  const include = `-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const bpf = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", include, "-c", join(SOURCES, "frames.bpf.c"), "-o", object];
  execFileSync("clang", bpf);
  execFileSync("cc", ["-std=gnu11", "-O2", "-o", program, join(SOURCES, "frames.c"), "-lbpf"]);
  return { program, object };
}

/** A packet of a client that the generator puts in: its address but for the last 17 bits, its port, are zero. */
export interface Template {
  readonly destination: string;
  readonly destinationPort: number;
  /** The frame's: the port of the box. */
  readonly mac: string;
  readonly flags: number;
  readonly sequence?: number;
}

/** What is sent: the packets of a flow, in their order. */
export interface Plan {
  readonly packets: readonly Template[];
  /** Undefined makes each a new one. */
  readonly flows: number | undefined;
  readonly firstFlow: number;
  /** A SYN is answered behind the box, and that answer before it. */
  readonly answers: boolean;
}

export const CLIENT_SEQUENCE = 1_000;

export function opening(template: Omit<Template, "flags">): Template {
  return { ...template, flags: SYN, sequence: CLIENT_SEQUENCE };
}

/** Any packet after the handshake. */
export function running(template: Omit<Template, "flags">): Template {
  return { ...template, flags: ACK, sequence: CLIENT_SEQUENCE + 1 };
}

function frameOf({ destination, destinationPort, mac, flags, sequence = 0 }: Template): Uint8Array {
  const fields = { destination, destinationPort, destinationMac: mac, sourcePort: 0, flags, sequence, id: 1 };
  const frame = destination.includes(":")
    ? tcp6Frame({ ...fields, source: CLIENTS6 })
    : tcpFrame({ ...fields, source: CLIENTS });
  if (destination.includes(":")) frame.set(macOf(mac), 0);
  if (frame.length >= FRAME_BYTES_MIN) return frame;
  const padded = new Uint8Array(FRAME_BYTES_MIN);
  padded.set(frame);
  return padded;
}

function macOf(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16));
}

export interface Counts {
  readonly front: number;
  readonly back: number;
}

export interface Ends {
  readonly front: Namespace;
  readonly frontDevice: string;
  /** Carries nothing; the generator is attached to it. */
  readonly frontSpareDevice: string;
  readonly back: Namespace;
  readonly backDevice: string;
}

export class Frames {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(process: ChildProcess) {
    this.#process = process;
    if (process.stdout === null) throw new Error("frames has no standard output");
    this.#reader = createInterface({ input: process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Without ends it only runs programs, in `namespace`. */
  static async start(
    { program, object }: BuiltFrames,
    { namespace, cpu, ends }: { readonly namespace: Namespace; readonly cpu: number; readonly ends?: Ends },
  ): Promise<Frames> {
    const places =
      ends === undefined
        ? []
        : [ends.front.path, ends.frontDevice, ends.back.path, ends.backDevice, ends.frontSpareDevice];
    const child = namespace.spawn([program, object, String(cpu), ...places], { stdio: ["pipe", "pipe", "inherit"] });
    const frames = new Frames(child);
    await frames.#answer("starting");
    return frames;
  }

  async plan({ packets, flows = 0, firstFlow, answers }: Plan): Promise<void> {
    const isIpv6 = packets[0]?.destination.includes(":") === true;
    const templates = packets.map((packet) => Buffer.from(frameOf(packet)).toString("hex"));
    await this.#ask(`plan ${flows} ${firstFlow} ${Number(isIpv6)} ${Number(answers)} ${templates.join(" ")}`);
  }

  /** Sends so many, each of which brings `packets` to the far end; returns how many came there. */
  async send(count: number, packets = 1): Promise<number> {
    const [arrived = 0] = await this.#ask(`send ${count} ${packets}`);
    return arrived;
  }

  async counts(): Promise<Counts> {
    const [front = 0, back = 0] = await this.#ask("counts");
    return { front, back };
  }

  /** What {@link run} calls; undefined is a program that does nothing. */
  async call(programId: number | undefined): Promise<void> {
    await this.#ask(`call ${programId ?? 0}`);
  }

  async run(count: number, ifindex: number): Promise<{ readonly nanos: number; readonly verdict: number }> {
    const [nanos = 0, verdict = 0] = await this.#ask(`run ${count} ${ifindex}`);
    return { nanos, verdict };
  }

  /** Of one run of a program that does nothing. */
  async empty(count: number): Promise<number> {
    const [nanos = 0] = await this.#ask(`empty ${count}`);
    return nanos;
  }

  close(): void {
    this.#process.stdin?.end();
    this.#reader.close();
  }

  #ask(command: string): Promise<readonly number[]> {
    this.#process.stdin?.write(`${command}\n`);
    return this.#answer(command);
  }

  async #answer(command: string): Promise<readonly number[]> {
    const { value, done } = await this.#lines.next();
    const [ok, ...numbers] = done === true ? [] : value.split(" ");
    if (ok !== "ok") throw new Error(`frames ended at: ${command.slice(0, 80)}`);
    return numbers.map(Number);
  }
}
