/** What a box needs of the kernel, checked by name before anything is touched. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, RefusalError } from "../exit-code.ts";

interface Feature {
  readonly name: string;
  readonly option: string;
  readonly present: (proc: string) => boolean;
}

/** Managed neighbours came with 5.16; the BPF features used are older. */
const VERSION_MIN = [5, 16] as const;

const FEATURES: readonly Feature[] = [
  {
    name: `Linux ${VERSION_MIN.join(".")} or newer`,
    option: "managed neighbours",
    present: (proc) => versionAtLeast(read(join(proc, "sys/kernel/osrelease"))),
  },
  {
    name: "the BPF file system",
    option: "CONFIG_BPF_SYSCALL",
    present: (proc) => /^nodev\s+bpf$/m.test(read(join(proc, "filesystems"))),
  },
  { name: "packet sockets", option: "CONFIG_PACKET", present: (proc) => existsSync(join(proc, "net/packet")) },
  {
    name: "IPv6 (heartbeats use link-local addresses)",
    option: "CONFIG_IPV6, and no ipv6.disable=1 on the kernel's command line",
    present: (proc) => existsSync(join(proc, "net/if_inet6")),
  },
];

/** Refuses with the missing features' names. `proc` is /proc, or a stand-in for it. */
export function checkKernelFeatures(proc = "/proc"): void {
  const missing = FEATURES.filter((feature) => !feature.present(proc));
  if (missing.length === 0) return;
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: `missing kernel feature: ${missing.map((feature) => feature.name).join("; ")}`,
    where: `Linux ${read(join(proc, "sys/kernel/osrelease")).trim()}`,
    mend: `Start a kernel that has ${missing.map((feature) => feature.option).join(", ")}.`,
  });
}

function versionAtLeast(release: string): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  return major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1]);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // An absent file means an absent feature.
    return "";
  }
}
