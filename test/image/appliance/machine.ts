/**
 * A box as QEMU has it: the image on a disk that forgets nothing, a serial line, and a cable per port. Emulated without
 * hardware acceleration, so it is slow, and nothing here is timed.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "../../netns/namespaces.ts";
import { Qmp } from "./qmp.ts";
import { Serial } from "./serial.ts";

export type Firmware = "bios" | "uefi" | "secure-boot";

export type Architecture = "amd64" | "arm64";

export interface Cable {
  /** A tap device in the machine's namespace. */
  readonly tap: string;
  readonly mac: string;
}

export interface MachineOptions {
  readonly name: string;
  /** Holds the disk and the sockets; made when missing. */
  readonly directory: string;
  /** A raw disk image, which is only read. */
  readonly image: string;
  /** The disk is made so large; the default is the image's own size. */
  readonly diskBytes?: number;
  /** Where QEMU finds a raw disk that somebody else keeps; left out, the disk is a copy of `image`. */
  readonly drive?: string;
  /** The default is amd64. */
  readonly architecture?: Architecture;
  /** Of an arm64 machine always by UEFI; the default of the other is the BIOS. */
  readonly firmware?: Firmware;
  /** Where the taps are; left out, the machine has no ports. */
  readonly host?: Namespace;
  readonly cables?: readonly Cable[];
  readonly memoryMegabytes?: number;
  readonly cpus?: number;
  /**
   * The machine's time passes with what its processor does, and with the host's only while it waits: what it waits for does not
   * come too late on a host that does other things besides. Not for a machine that others talk to; one processor.
   */
  readonly hasOwnTime?: boolean;
  /** More arguments of QEMU. */
  readonly devices?: readonly string[];
}

const PROGRAMS = { amd64: "qemu-system-x86_64", arm64: "qemu-system-aarch64" } as const;
const CODE = {
  uefi: "/usr/share/OVMF/OVMF_CODE_4M.fd",
  "secure-boot": "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
  arm64: "/usr/share/AAVMF/AAVMF_CODE.fd",
} as const;
const VARIABLES = {
  uefi: "/usr/share/OVMF/OVMF_VARS_4M.fd",
  "secure-boot": "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
  arm64: "/usr/share/AAVMF/AAVMF_VARS.fd",
} as const;
/** An instruction takes 4 ns. */
const OWN_TIME = "-accel tcg,thread=single -icount shift=2 -rtc clock=vm";
const QEMU_END_MILLIS = 10_000;

export class Machine {
  readonly #options: MachineOptions;
  readonly disk: string;
  #process: ChildProcess | undefined;
  #serial: Serial | undefined;
  #qmp: Qmp | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
    this.disk = options.drive ?? join(options.directory, `${options.name}.qcow2`);
    if (options.drive !== undefined || existsSync(this.disk)) return;
    const size = options.diskBytes === undefined ? [] : [String(options.diskBytes)];
    const backing = ["-b", options.image, "-F", "raw"];
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...backing, this.disk, ...size]);
  }

  get name(): string {
    return this.#options.name;
  }

  /** Of the ports, in their order. */
  get macs(): readonly string[] {
    return (this.#options.cables ?? []).map(({ mac }) => mac);
  }

  get serial(): Serial {
    if (this.#serial === undefined) throw new Error(`${this.name} is off`);
    return this.#serial;
  }

  get qmp(): Qmp {
    if (this.#qmp === undefined) throw new Error(`${this.name} is off`);
    return this.#qmp;
  }

  /** Power comes on. */
  async start(): Promise<void> {
    const argv = this.#arguments();
    const { host } = this.#options;
    const streams = { stdio: ["ignore", "inherit", "inherit"] as ("ignore" | "inherit")[] };
    const started = host === undefined ? spawn(argv[0] ?? "", argv.slice(1), streams) : host.spawn(argv, streams);
    this.#process = started;
    process.once("exit", this.#kill);
    this.#serial = await Serial.connect(this.#socket("serial"));
    this.#qmp = await Qmp.connect(this.#socket("qmp"));
  }

  /** The mains are cut. What the disk had acknowledged stays. */
  async cut(): Promise<void> {
    const ended = this.ended(QEMU_END_MILLIS);
    this.#kill();
    await ended;
  }

  /** Resolves when QEMU ends by itself, as a machine that powered itself off. */
  async ended(limitMillis: number): Promise<void> {
    const running = this.#process;
    if (running !== undefined && running.exitCode === null && running.signalCode === null) {
      await new Promise<void>((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`${this.name} is not off in ${limitMillis} ms`)), limitMillis);
        running.once("exit", () => {
          clearTimeout(limit);
          resolve();
        });
      });
    }
    this.#forget();
  }

  /** Pulls the cable of a port, or puts it back; the first port is 0. */
  async plug(port: number, isIn: boolean): Promise<void> {
    await this.qmp.execute("set_link", { name: `port${port}`, up: isIn });
  }

  #forget(): void {
    process.off("exit", this.#kill);
    this.#serial?.close();
    this.#qmp?.close();
    this.#serial = undefined;
    this.#qmp = undefined;
    this.#process = undefined;
  }

  readonly #kill = (): void => {
    this.#process?.kill("SIGKILL");
  };

  #socket(name: "serial" | "qmp"): string {
    return join(this.#options.directory, `${this.name}.${name}`);
  }

  #arguments(): readonly string[] {
    const { memoryMegabytes = 512, cpus = 1, architecture = "amd64", cables = [], devices = [] } = this.#options;
    const { hasOwnTime = false } = this.#options;
    const format = this.#options.drive === undefined ? "qcow2" : "raw";
    const chardev = (id: "serial" | "qmp") => `socket,id=${id},path=${this.#socket(id)},server=on,wait=off`;
    return [
      PROGRAMS[architecture],
      ...this.#board(architecture),
      ...(hasOwnTime ? OWN_TIME : "-accel tcg,thread=multi").split(" "),
      ...`-smp ${cpus} -m ${memoryMegabytes} -nodefaults -no-user-config -display none`.split(" "),
      ...this.#firmware(architecture),
      "-drive",
      `file=${this.disk},if=none,id=disk,format=${format},cache=none,discard=unmap`,
      ..."-device virtio-blk-pci,drive=disk,bootindex=1".split(" "),
      "-chardev",
      chardev("serial"),
      ..."-serial chardev:serial -chardev".split(" "),
      chardev("qmp"),
      ..."-mon chardev=qmp,mode=control".split(" "),
      ...cables.flatMap(({ tap, mac }, port) => [
        "-netdev",
        `tap,id=cable${port},ifname=${tap},script=no,downscript=no`,
        "-device",
        `virtio-net-pci,id=port${port},netdev=cable${port},mac=${mac},guest_tso4=off,guest_tso6=off,guest_ufo=off`,
      ]),
      ...devices,
    ];
  }

  #board(architecture: Architecture): readonly string[] {
    if (architecture === "arm64") return "-machine virt -cpu cortex-a72".split(" ");
    const machine = this.#options.firmware === "secure-boot" ? "q35,smm=on" : "q35";
    return `-machine ${machine} -cpu max -vga std`.split(" ");
  }

  #firmware(architecture: Architecture): readonly string[] {
    const { firmware = "bios" } = this.#options;
    if (architecture === "amd64" && firmware === "bios") return [];
    const kind = architecture === "arm64" ? architecture : (firmware as Exclude<Firmware, "bios">);
    const variables = join(this.#options.directory, `${this.name}.variables`);
    if (!existsSync(variables)) copyFileSync(VARIABLES[kind], variables);
    const secure = kind === "secure-boot" ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : [];
    return [
      ...secure,
      "-drive",
      `if=pflash,unit=0,format=raw,readonly=on,file=${CODE[kind]}`,
      "-drive",
      `if=pflash,unit=1,format=raw,file=${variables}`,
    ];
  }
}
