/** BPF on the real kernel, through libbpf in the addon. */
import { existsSync, mkdirSync, readdirSync, statfsSync, unlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Bpf, BpfEvents, BpfMap, BpfObject, BpfProgram, XdpMode } from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import type { Ifindex } from "../units/address.ts";
import { asHalError, asHalErrorLater, bpfCalls, type LoadedObject } from "./calls.ts";
import { encodeNumber, SLOT_BALANCER, SLOT_CAPTURE, SLOT_FRAGMENTS, SLOT_ODDITIES } from "./layout.ts";
import { KernelMap } from "./kernel-map.ts";
import { RingReader } from "./ring-reader.ts";
import { attachRoot, detachOurs, foreignOn } from "./attach.ts";

/** BPF_FS_MAGIC of linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;
const ROOT = "futago_root";
const ODDITIES = "futago_oddities";
const FRAGMENTS = "futago_fragments";
const CAPTURE = "futago_capture";
const SLOTS = "futago_slots";
const PORTS = "futago_ports";
const VETHS = "futago_veths";

export function openBpf(): Bpf {
  /** Those that are open: where a port that goes must be struck out. */
  const open = new Set<KernelObject>();
  const opened = (loaded: LoadedObject): KernelObject => {
    const object = new KernelObject(loaded, () => open.delete(object));
    open.add(object);
    return object;
  };
  return {
    mount: (directory) => {
      mkdirSync(directory, { recursive: true });
      asHalError(() => bpfCalls.bpfMount(directory));
    },
    unmount: (directory) => {
      if (!existsSync(directory) || statfsSync(directory).type !== BPF_FS_MAGIC) return;
      removePins(directory);
      asHalError(() => bpfCalls.bpfUnmount(directory));
    },
    load: (name, pinDirectory, sizes = {}) =>
      opened(asHalError(() => bpfCalls.bpfLoad(pathOf(name), pinDirectory, sizes))),
    loadAside: async (name, pinDirectory, sizes = {}) =>
      opened(await asHalErrorLater(() => bpfCalls.bpfLoadAside(pathOf(name), pinDirectory, sizes))),
    attachTc: (ifindex, ingress, egress) => {
      asHalError(() => bpfCalls.bpfTcAttach(ifindex, ours(ingress).fd, ours(egress).fd));
    },
    detachTc: (ifindex) => asHalError(() => bpfCalls.bpfTcDetach(ifindex)),
    standsTc: (ifindex, ingress, egress) => {
      const there = asHalError(() => bpfCalls.bpfTcQuery(ifindex));
      return there.ingress === ours(ingress).id && there.egress === ours(egress).id;
    },
    attachXdp: (ifindex, program, mode, onNotNative) => attachXdp(ifindex, ours(program), mode, onNotNative),
    detachXdp: (ifindex) => {
      detachOurs(ifindex);
      for (const object of open) {
        object.optionalMap(PORTS)?.delete(encodeNumber(ifindex));
        object.optionalMap(VETHS)?.delete(encodeNumber(ifindex));
      }
    },
    xdpProgramId: (ifindex) => asHalError(() => bpfCalls.bpfXdpQuery(ifindex)).id,
    foreignXdp: foreignOn,
  };
}

function pathOf(object: "gate" | "balancer"): string {
  return fileURLToPath(new URL(`../build/${object}.bpf.o`, import.meta.url));
}

/** The slot before the port, so that the port never runs a balancer that is no more. */
function attachXdp(
  ifindex: Ifindex,
  program: KernelProgram,
  mode: XdpMode | undefined,
  onNotNative: ((refusal: HalError) => void) | undefined,
): XdpMode {
  const root = program.object.optionalProgram(ROOT);
  const slots = program.object.optionalMap(SLOTS);
  if (root === undefined || slots === undefined) return attachRoot(ifindex, program, mode, onNotNative);
  const oddities = program.object.optionalProgram(ODDITIES);
  const fragments = program.object.optionalProgram(FRAGMENTS);
  const capture = program.object.optionalProgram(CAPTURE);
  // Before the balancer that calls them.
  if (oddities !== undefined) slots.update(encodeNumber(SLOT_ODDITIES), encodeNumber(oddities.fd));
  if (fragments !== undefined) slots.update(encodeNumber(SLOT_FRAGMENTS), encodeNumber(fragments.fd));
  if (capture !== undefined) slots.update(encodeNumber(SLOT_CAPTURE), encodeNumber(capture.fd));
  slots.update(encodeNumber(SLOT_BALANCER), encodeNumber(program.fd));
  // A frame whose tag was taken off looks like one of the port's own network.
  asHalError(() => bpfCalls.bpfLeaveTags(ifindex));
  const used = attachRoot(ifindex, root, mode, onNotNative);
  const ports = program.object.optionalMap(PORTS);
  // Frames that a port does not take would vanish; the kernel forwards what goes to ports that are not in the table.
  // A port without a native program is no target for one that has: the kernel knows no way between the two modes.
  const isTarget = used === "native" && asHalError(() => bpfCalls.bpfTakesRedirects(ifindex));
  if (isTarget) ports?.update(encodeNumber(ifindex), encodeNumber(ifindex));
  else ports?.delete(encodeNumber(ifindex));
  const veths = program.object.optionalMap(VETHS);
  if (used === "native" && asHalError(() => bpfCalls.bpfIsVeth(ifindex)))
    veths?.update(encodeNumber(ifindex), encodeNumber(1));
  else veths?.delete(encodeNumber(ifindex));
  return used;
}

/** Pins would live on in copies of the mount that other mount namespaces hold. */
function removePins(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    // The kernel keeps names with a dot for files of its own, which nobody can remove.
    if (entry.isFile() && !entry.name.includes(".")) unlinkSync(`${directory}/${entry.name}`);
  }
}

function ours(program: BpfProgram): KernelProgram {
  if (program instanceof KernelProgram) return program;
  throw new TypeError(`program ${program.name} was not loaded by this hal`);
}

class KernelObject implements BpfObject {
  readonly #handle: unknown;
  readonly #maps: ReadonlyMap<string, KernelMap>;
  readonly #programs: ReadonlyMap<string, KernelProgram>;
  readonly #onClose: () => void;

  constructor(loaded: LoadedObject, onClose: () => void) {
    this.#handle = loaded.handle;
    this.#onClose = onClose;
    this.#maps = new Map(loaded.maps.map((map) => [map.name, new KernelMap(map)]));
    this.#programs = new Map(loaded.programs.map(({ name, fd, id }) => [name, new KernelProgram(this, name, fd, id)]));
  }

  map(name: string): BpfMap {
    return found(this.#maps.get(name), `map ${name}`);
  }

  program(name: string): BpfProgram {
    return found(this.#programs.get(name), `program ${name}`);
  }

  events(ring: string, recordBytes: number, onRecords: (records: Uint8Array) => void): BpfEvents {
    return new RingReader(found(this.#maps.get(ring), `map ${ring}`).descriptor, recordBytes, onRecords);
  }

  optionalMap(name: string): KernelMap | undefined {
    return this.#maps.get(name);
  }

  optionalProgram(name: string): KernelProgram | undefined {
    return this.#programs.get(name);
  }

  close(): void {
    for (const map of this.#maps.values()) map.close();
    bpfCalls.bpfClose(this.#handle);
    this.#onClose();
  }
}

class KernelProgram implements BpfProgram {
  readonly object: KernelObject;
  readonly name: string;
  readonly fd: number;
  readonly id: number;

  constructor(object: KernelObject, name: string, fd: number, id: number) {
    this.object = object;
    this.name = name;
    this.fd = fd;
    this.id = id;
  }

  testRun(input: Uint8Array, repeat = 1, ifindex = 0): ReturnType<BpfProgram["testRun"]> {
    return asHalError(() => bpfCalls.bpfTestRun(this.fd, input, repeat, ifindex));
  }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new HalError("ENOENT", "bpf", `the object has no ${what}`);
  return value;
}
