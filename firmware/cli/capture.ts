/** `futago capture`: writes what the box copies into a pcapng file, until the box or somebody ends it. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { CapturedFrame, CaptureEvent } from "../runtime/control.ts";
import { ExitCode, type Refusal } from "../runtime/exit-code.ts";
import { watch } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { json, print, refuse } from "./output.ts";
import { PcapngWriter } from "../runtime/pcapng.ts";
import { fileTrouble } from "../runtime/files.ts";

const STDOUT = 1;
/** Of a frame whose device is not there any more. */
const NO_DEVICE = "gone";

interface Totals {
  readonly packets: number;
  readonly frames: number;
  readonly lost: number;
}

export async function capture(command: CommandOf<"capture">): Promise<number> {
  const { stateDirectory, query, file } = command;
  if (file === "-" && process.stdout.isTTY) {
    const what = "a capture is no text: it would disturb the terminal";
    return refuse(
      { exitCode: ExitCode.usage, what, mend: "Write it to a file, or into a pipe: `-o - | tshark -r -`." },
      false,
    );
  }
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
  const output = new CaptureFile(file);
  try {
    const isWhole = await watch(stateDirectory, "capture", (event) => output.take(event), stopped.signal, query);
    if (output.failure !== undefined) return refuse(output.failure, command.json);
    if (!isWhole && !stopped.signal.aborted) {
      const what = "the box went away while it captured";
      return refuse(
        { exitCode: ExitCode.boxNotRunning, what, where: file, mend: "What it sent is in the file." },
        command.json,
      );
    }
  } finally {
    output.close();
  }
  if (command.json) print(json({ file, ...output.totals }));
  else process.stderr.write(`${summary(file, output.totals)}\n`);
  return ExitCode.done;
}

function summary(file: string, { packets, frames, lost }: Totals): string {
  const where = file === "-" ? "standard output" : file;
  const missed = lost === 0 ? "" : `; ${lost} more came too fast to be read`;
  return `${packets === 1 ? "1 packet" : `${packets} packets`} captured, ${frames} frames written to ${where}${missed}.`;
}

/** Made when the capture has begun, so that a refused one leaves no empty file. */
class CaptureFile {
  readonly #path: string;
  #descriptor: number | undefined;
  #writer = new PcapngWriter(0);
  #totals: Totals = { packets: 0, frames: 0, lost: 0 };
  #failure: Refusal | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get failure(): Refusal | undefined {
    return this.#failure;
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** True when there is no more to come. */
  take(event: CaptureEvent): boolean {
    try {
      return this.#take(event);
    } catch (error) {
      const mend = "Choose a place with room where you may write.";
      this.#failure = {
        exitCode: ExitCode.failed,
        what: `the capture cannot be written: ${fileTrouble(error)}`,
        where: this.#path,
        mend,
      };
      return true;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined && this.#descriptor !== STDOUT) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #take(event: CaptureEvent): boolean {
    switch (event.kind) {
      case "began":
        this.#descriptor = this.#path === "-" ? STDOUT : openSync(this.#path, "w", 0o600);
        this.#writer = new PcapngWriter(event.snap);
        this.#write(this.#writer.header(event.hostname));
        return false;
      case "frames":
        for (const frame of event.frames) this.#add(frame);
        return false;
      case "ended":
        this.#totals = { ...this.#totals, packets: event.packets, lost: event.lost };
        return true;
    }
  }

  #add({ atNanos, device, direction, stage, length, bytes, comment }: CapturedFrame): void {
    const content = Buffer.from(bytes, "base64");
    const packet = {
      atNanos: BigInt(atNanos),
      device: device ?? NO_DEVICE,
      direction,
      length,
      bytes: content,
      comment,
    };
    this.#write(this.#writer.packet(packet));
    const { packets, frames } = this.#totals;
    this.#totals = { ...this.#totals, frames: frames + 1, packets: packets + (stage === "came" ? 1 : 0) };
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; this.#descriptor !== undefined && at < bytes.length; ) {
      at += writeSync(this.#descriptor, bytes, at);
    }
  }
}
