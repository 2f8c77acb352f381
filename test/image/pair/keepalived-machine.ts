/**
 * keepalived on a machine as the image's boxes have it: the same emulator, processor, memory and cables. The kernel is
 * Debian's of the same release; the files are this machine's own, by 9p, with its keepalived.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../../netns/namespaces.ts";
import type { Cable } from "../appliance/machine.ts";
import { makeInitrd } from "../initrd.ts";
import type { Kernel } from "../kernels.ts";

const PRELUDE = fileURLToPath(new URL("../guest.sh", import.meta.url));
const TEMPLATES = new URL("../../bench/keepalived/", import.meta.url);
const LAST_LINES = 40;
/** Those of appliance/machine.ts. */
const MACHINE =
  "qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 1 -m 512 -nodefaults -no-user-config -display none -vga std";

export interface KeepalivedOptions {
  readonly name: "a" | "b";
  readonly kernel: Kernel;
  readonly directory: string;
  readonly host: Namespace;
  readonly cables: readonly Cable[];
  /** A file of test/bench/keepalived. */
  readonly template: "fast.conf" | "default.conf";
}

const BOX = {
  a: { priority: 200, addresses: ["10.1.0.2/24", "10.2.0.2/24", "10.3.0.1/30"] },
  b: { priority: 190, addresses: ["10.1.0.3/24", "10.2.0.3/24", "10.3.0.2/30"] },
} as const;

export class KeepalivedMachine {
  readonly #options: KeepalivedOptions;
  readonly #lines: string[] = [];
  #process: ChildProcess | undefined;

  constructor(options: KeepalivedOptions) {
    this.#options = options;
  }

  get macs(): readonly string[] {
    return this.#options.cables.map(({ mac }) => mac);
  }

  /** The newest it said on its serial line. */
  get said(): string {
    return this.#lines.slice(-LAST_LINES).join("\n");
  }

  /** Power comes on. */
  start(): void {
    const { name, directory, host, template } = this.#options;
    const report = `${directory}/${name}`;
    mkdirSync(report, { recursive: true });
    const { priority, addresses } = BOX[name];
    const text = readFileSync(new URL(template, TEMPLATES), "utf8").replaceAll("@PRIORITY@", String(priority));
    writeFileSync(`${report}/keepalived.conf`, text);
    const job = [
      `. '${PRELUDE}'`,
      "modprobe virtio_net",
      "sysctl -qw net.ipv4.ip_forward=1",
      ...addresses.flatMap((address, port) => [`ip addr add ${address} dev eth${port}`, `ip link set eth${port} up`]),
      "cp /run/report/keepalived.conf /dev/shm/keepalived.conf",
      // A serial line stalls whoever writes to it: the log stays in memory.
      "keepalived -n -l -G -P -f /dev/shm/keepalived.conf -p /dev/shm/k.pid -r /dev/shm/v.pid >/dev/shm/keepalived.log 2>&1",
      "code=$?; cat /dev/shm/keepalived.log; finish $code",
    ];
    writeFileSync(`${report}/job.sh`, `${job.join("\n")}\n`);
    const child = host.spawn(this.#arguments(report), { stdio: ["ignore", "pipe", "inherit"] });
    this.#process = child;
    process.once("exit", this.#kill);
    if (child.stdout === null) throw new Error("the machine has no serial line");
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#lines.splice(0, Math.max(0, this.#lines.length - LAST_LINES));
    });
  }

  /** The mains are cut. */
  async cut(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    process.off("exit", this.#kill);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  readonly #kill = (): void => {
    this.#process?.kill("SIGKILL");
  };

  #arguments(report: string): readonly string[] {
    const { kernel, cables } = this.#options;
    const share = (tag: string, path: string, extra: string) => [
      "-fsdev",
      `local,id=${tag},path=${path.replaceAll(",", ",,")},security_model=none,multidevs=remap${extra}`,
      "-device",
      `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
    ];
    return [
      ...MACHINE.split(" "),
      ..."-serial stdio -no-reboot -kernel".split(" "),
      kernel.image,
      "-initrd",
      makeInitrd(kernel),
      "-append",
      "console=ttyS0 quiet panic=-1 futago.guest",
      ...share("host", "/", ",readonly=on"),
      ...share("modules", kernel.modules, ",readonly=on"),
      ...share("report", report, ""),
      ...cables.flatMap(({ tap, mac }, port) => [
        "-netdev",
        `tap,id=cable${port},ifname=${tap},script=no,downscript=no`,
        "-device",
        `virtio-net-pci,netdev=cable${port},mac=${mac},guest_tso4=off,guest_tso6=off,guest_ufo=off`,
      ]),
    ];
  }
}
