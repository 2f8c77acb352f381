/** A pair as the boxes tell it, for tests of what is made from it. */
import type { BoxesShown, BoxShown, PortShown } from "@futago/firmware/runtime/control-ports.ts";

export function port(change: Partial<PortShown> = {}): PortShown {
  return {
    device: "eth0",
    interface: "wan",
    mac: "02:00:00:00:00:01",
    up: true,
    carrier: true,
    speedMbps: 1000,
    mtu: 1500,
    addresses: ["10.1.0.2/24"],
    virtualAddresses: [],
    receivedBytes: 0,
    sentBytes: 0,
    receivedPackets: 0,
    sentPackets: 0,
    troubles: 0,
    heartbeat: { alive: true, rttMicros: 200 },
    ...change,
  };
}

export function box(letter: string, ports: readonly PortShown[], change: Partial<BoxShown> = {}): BoxShown {
  return {
    box: letter,
    own: letter === "a",
    hostname: `edge-${letter}`,
    version: "0.1.0",
    role: letter === "a" ? "active" : "standby",
    revision: "r",
    uptimeSeconds: 1,
    at: "2026-01-01T00:00:00.000Z",
    urls: [`https://10.1.0.${letter === "a" ? 2 : 3}`],
    ports,
    ...change,
  };
}

export function pair(...boxes: readonly BoxShown[]): BoxesShown {
  return { boxes, survival: { survives: "yes", reasons: [] } };
}
