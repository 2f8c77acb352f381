/** An XDP program that lets everything pass, for the far ends of a box's ports. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Namespace } from "./namespaces.ts";

const PROGRAM = '__attribute__((section("xdp"), used)) int pass(void *ctx) { return 2; }';

/**
 * Puts the program on a veth's ends: what XDP sends back by the port it came in by arrives only where the far end has
 * a program, too (veth_xdp_flush in drivers/net/veth.c).
 */
export async function passFrames(namespace: Namespace, ifnames: readonly string[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "futago-pass-"));
  try {
    const object = join(directory, "pass.o");
    await namespace.run(["clang", "-O2", "-target", "bpf", "-x", "c", "-c", "-", "-o", object], { input: PROGRAM });
    for (const ifname of ifnames) await namespace.ip(`link set ${ifname} xdpdrv obj ${object} sec xdp`);
  } finally {
    await rm(directory, { recursive: true });
  }
}
