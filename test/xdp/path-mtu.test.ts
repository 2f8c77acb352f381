/**
 * Real transfers through a box over paths that are narrower somewhere than the senders know: none would ever end if an
 * ICMP error were lost or wrong on its way to them. All checksums are made and verified by the ends.
 */
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceMode } from "@futago/hal/units/balancer.ts";
import type { Namespace } from "../netns/namespaces.ts";
import { FAMILIES, MODES } from "./odd-box.ts";
import { createOddNetwork, DESERTED, hostOf, NET, type OddNetwork, PORT_OF, SERVER_PORT } from "./odd-network.ts";
import type { Family } from "./odd-packet.ts";

const PEER = fileURLToPath(new URL("./peer.ts", import.meta.url));
const BYTES = 300_000;

let net: OddNetwork;

beforeAll(async () => {
  net = await createOddNetwork();
  for (const mode of MODES) {
    await listening(net[hostOf(mode)], [PEER, "serve", mode, String(SERVER_PORT[mode])]);
    for (const family of FAMILIES) await listening(net[hostOf(mode)], ["-e", datagramEcho(family, mode)]);
  }
}, 60_000);

afterAll(async () => {
  await net?.destroy();
});

async function listening(namespace: Namespace, argv: readonly string[]): Promise<void> {
  const child = namespace.spawn([process.execPath, ...argv], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`${argv.join(" ")} ended with ${code}`)));
  });
}

/** In `direct` the answer has to come from the VIP, to which the socket is bound. */
function datagramEcho(family: Family, mode: ServiceMode): string {
  const host = mode === "direct" ? NET[family].vip : NET[family].server;
  const type = family === "ipv4" ? "udp4" : "udp6";
  return `const s = require("node:dgram").createSocket("${type}");
    s.on("message", (data, from) => s.send(data, from.port, from.address));
    s.bind(${SERVER_PORT[mode]}, "${host}", () => console.log("listening"));`;
}

/** What the server echoes of so many bytes over one connection, or what went wrong. */
async function transfer(family: Family, mode: ServiceMode): Promise<object> {
  const child = net.client.spawn([process.execPath, PEER, "talk", NET[family].vip, String(PORT_OF[mode])], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    return await conversation(child);
  } finally {
    child.kill("SIGKILL");
  }
}

function conversation(child: ChildProcess): Promise<object> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve({ error: "no answer in 10 seconds" }), 10_000);
    let text = "";
    child.stdout?.on("data", (data: Buffer) => {
      text += data.toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const answer = JSON.parse(line) as { greeting?: string; echoed?: number; error?: string };
        if (answer.greeting !== undefined) child.stdin?.write(`${JSON.stringify({ id: 1, send: BYTES })}\n`);
        if (answer.echoed !== BYTES && answer.error === undefined) continue;
        clearTimeout(late);
        resolve(answer);
      }
    });
    child.stdin?.write(`${JSON.stringify({ id: 1, open: true })}\n`);
  });
}

/** Sends a datagram until it is echoed, since the first ones may tell how narrow the path is. */
async function datagram(family: Family, mode: ServiceMode, bytes: number): Promise<string> {
  const type = family === "ipv4" ? "udp4" : "udp6";
  const script = `const s = require("node:dgram").createSocket("${type}");
    const data = Buffer.from(Uint8Array.from({ length: ${bytes} }, (_, i) => i * 7));
    let tries = 0;
    const again = () => { if (tries++ < 40) s.send(data, ${PORT_OF[mode]}, "${NET[family].vip}"); else { console.log("lost"); process.exit(); } };
    s.on("error", () => {});
    s.on("message", (got) => { console.log(got.equals(data) ? "right" : "wrong"); process.exit(); });
    again();
    setInterval(again, 250);`;
  return (await net.client.run([process.execPath, "-e", script], { timeoutMillis: 20_000 })).trim();
}

interface Narrow {
  readonly name: string;
  readonly widths: { readonly near?: number; readonly far?: number; readonly box?: number };
  /** Modes whose packets pass the place. */
  readonly modes: readonly ServiceMode[];
  readonly counter: "forwardedIcmp" | "sentTooBig";
}

const PLACES: readonly Narrow[] = [
  { name: "before the client", widths: { near: 1400 }, modes: MODES, counter: "forwardedIcmp" },
  { name: "before the server", widths: { far: 1400 }, modes: ["nat", "one-arm"], counter: "forwardedIcmp" },
  { name: "at the box", widths: { box: 1320 }, modes: MODES, counter: "sentTooBig" },
];

describe.each(FAMILIES)("%s", (family) => {
  describe.each(PLACES)("a path that is narrow $name", ({ widths, modes, counter }) => {
    it.each(modes)("carries a large transfer both ways: %s", { timeout: 30_000 }, async (mode) => {
      await net.setWidths(widths);
      const before = net.tables.counters();
      expect(await transfer(family, mode)).toEqual({ id: 1, echoed: BYTES, right: true });
      expect(net.tables.counters()[counter]).toBeGreaterThan(before[counter]);
    });

    it.each(modes)("carries datagrams in fragments both ways: %s", { timeout: 30_000 }, async (mode) => {
      await net.setWidths(widths);
      const before = net.tables.counters();
      expect(await datagram(family, mode, 6000)).toBe("right");
      expect(await datagram(family, mode, 1300)).toBe("right");
      // What may be fragmented on its way is, by the kernel; IPv6 knows no such thing.
      const fragments = family === "ipv4" && mode !== "direct" && widths.box !== undefined;
      expect(net.tables.counters().passTooBig > before.passTooBig).toBe(fragments);
    });
  });

  it.each(MODES)("a wide path carries datagrams in fragments: %s", { timeout: 30_000 }, async (mode) => {
    await net.setWidths({});
    expect(await datagram(family, mode, 20_000)).toBe("right");
  });

  it.each(["nat", "one-arm"] as const)("nobody at the server's port is told to the client: %s", async (mode) => {
    await net.setWidths({});
    const script = `const s = require("node:dgram").createSocket("${family === "ipv4" ? "udp4" : "udp6"}");
      s.connect(${PORT_OF[mode] + DESERTED}, "${NET[family].vip}", () => s.send("x"));
      s.on("error", (error) => { console.log(error.code); process.exit(); });`;
    expect((await net.client.run([process.execPath, "-e", script], { timeoutMillis: 10_000 })).trim()).toBe(
      "ECONNREFUSED",
    );
  });
});
