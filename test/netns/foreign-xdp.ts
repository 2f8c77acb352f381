/** Somebody else's XDP program on a port: it lets everything pass, and keeps ours from being attached. */
import { rm } from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Namespace } from "./namespaces.ts";

const PROGRAM = '__attribute__((section("xdp"), used)) int foreign_pass(void *ctx) { return 2; }';

/** Native; `force` puts it in the place of whatever is there. */
export async function putForeignXdp(namespace: Namespace, device: string, force = false): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "futago-foreign-"));
  const object = join(directory, "pass.o");
  await namespace.run(["clang", "-O2", "-target", "bpf", "-x", "c", "-c", "-", "-o", object], { input: PROGRAM });
  await namespace.ip(`${force ? "-force " : ""}link set dev ${device} xdpdrv obj ${object} sec xdp`);
  await rm(directory, { recursive: true });
}

export async function takeForeignXdp(namespace: Namespace, device: string): Promise<void> {
  await namespace.ip(`link set dev ${device} xdpdrv off`);
}
