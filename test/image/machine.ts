/**
 * A guest: QEMU without hardware acceleration, a kernel of kernels.ts, and this machine's own files, which it reads by
 * 9p and cannot write. It runs one job, a shell script, and powers off.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { makeInitrd } from "./initrd.ts";
import type { Kernel } from "./kernels.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const PRELUDE = fileURLToPath(new URL("guest.sh", import.meta.url));
const MEMORY_MEGABYTES = 2_048;
/** An ESC sequence of a terminal, which firmware and vitest like to send. */
// oxlint-disable-next-line no-control-regex -- it is what is looked for.
const ESCAPES = /\u001b(?:\[[0-9;?]*[A-Za-z]|c)/g;

export interface Job {
  readonly kernel: Kernel;
  /** Lines of bash, run in the checkout. The exit code is that of the last one. */
  readonly script: readonly string[];
  /** Seen by the guest as /run/report, where it may write; made when missing. */
  readonly report: string;
  readonly limitMinutes: number;
  /** Default `tcg,thread=multi`, a processor like QEMU's best, one of it. */
  readonly machine?: readonly string[];
  /** More of QEMU's arguments. A guest of its own hardware may be reset, and then begins its job again. */
  readonly hardware?: readonly string[];
  /** While it runs, with what is asked of QEMU: see board.ts. */
  readonly beside?: (report: string) => { readonly end: () => void };
  readonly onLine: (line: string) => void;
}

/** The exit code of the job; undefined when the guest did not get so far. */
export async function runGuest(job: Job): Promise<number | undefined> {
  mkdirSync(job.report, { recursive: true });
  const lines = [`. '${PRELUDE}'`, `cd '${ROOT}'`, ...job.script, "finish $?"];
  writeFileSync(`${job.report}/job.sh`, `${lines.join("\n")}\n`);
  const child = spawn("qemu-system-x86_64", qemuArguments(job), { stdio: ["ignore", "pipe", "pipe"] });
  const limit = setTimeout(() => {
    job.onLine(`not done after ${job.limitMinutes} minutes, ended`);
    child.kill("SIGKILL");
  }, job.limitMinutes * 60_000);
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const beside = job.beside?.(job.report);
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => job.onLine(line.replaceAll(ESCAPES, "").trimEnd()));
  try {
    await new Promise<void>((resolve, reject) => child.once("error", reject).once("close", () => resolve()));
  } finally {
    beside?.end();
    clearTimeout(limit);
    process.off("exit", end);
  }
  const exit = `${job.report}/exit`;
  return existsSync(exit) ? Number(readFileSync(exit, "utf8")) : undefined;
}

function qemuArguments(job: Job): readonly string[] {
  const { kernel, report, machine = ["-accel", "tcg,thread=multi"], hardware } = job;
  const share = (tag: string, path: string, extra: string) => [
    "-fsdev",
    `local,id=${tag},path=${path.replaceAll(",", ",,")},security_model=none,multidevs=remap${extra}`,
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
  return [
    ...machine,
    ...`-cpu max -smp 1 -m ${MEMORY_MEGABYTES}`.split(" "),
    ..."-nodefaults -no-user-config -display none -serial stdio".split(" "),
    ...(hardware ?? ["-no-reboot"]),
    "-kernel",
    kernel.image,
    "-initrd",
    makeInitrd(kernel),
    "-append",
    // By the last word a test knows that it may do to this machine what it may not do to its host.
    "console=ttyS0 quiet panic=-1 futago.guest",
    ...share("host", "/", ",readonly=on"),
    ...share("modules", kernel.modules, ",readonly=on"),
    ...share("report", report, ""),
  ];
}
