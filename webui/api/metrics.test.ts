import { readFileSync } from "node:fs";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { describe, expect, it } from "vitest";
import { METRICS, metricsText } from "./metrics.ts";

const traffic = { packetsIn: 10, bytesIn: 1_000, packetsOut: 20, bytesOut: 2_000, flows: 3 };
const status = {
  groups: [{ name: "edge", state: "active", since: "2026-01-02T03:04:05.500Z", answering: true, priority: 200 }],
  peer: {
    alive: true,
    paths: [
      { interface: "sync", alive: true, rttMicros: 250 },
      { interface: "lan", alive: false, rttMicros: null },
    ],
  },
  heartbeat: { deadMs: 75, leaseMs: 45, latenessP999Ms: 0.5, counters: { sent: 7 } },
  services: [
    {
      name: 'a"b\\c\nd',
      pool: "web",
      mode: "nat",
      protocol: "tcp",
      attach: "native",
      traffic,
      connections: { established: 5, replicated: 4 },
      backends: [{ name: "s1", healthy: false, draining: true, weight: 2, flows: 6, traffic }],
    },
  ],
  connections: { established: 5, replicated: null },
  replication: null,
  system: { version: "0.1.0", slot: null, passwordRequest: false },
  lastDrill: { at: "2026-01-02T03:04:05.000Z", passed: true, lost: 0, silenceMicros: 1_500 },
  alarms: [{ kind: "widened" }, { kind: "widened" }],
  counters: { dropDenied: 9 },
} as unknown as BoxStatus;
const port = {
  device: "eth0",
  interface: "wan",
  up: true,
  carrier: true,
  speedMbps: 1_000,
  receivedBytes: 11,
  sentBytes: 12,
  receivedPackets: 13,
  sentPackets: 14,
  troubles: 15,
};
const boxes = {
  boxes: [
    { box: "a", hostname: "edge-a", version: "1", role: "active", revision: "r", uptimeSeconds: 60, ports: [port] },
  ],
  survival: { survives: "partly", reasons: [] },
} as unknown as BoxesShown;

const docs = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const names = (text: string) => new Set(text.match(/\bfutago_\w+/g));

describe("the metrics", () => {
  it("say in base units what the status says", async () => {
    const lines = (await metricsText(status, boxes)).split("\n");
    const service = 'service="a\\"b\\\\c\\nd",pool="web"';
    expect(lines).toEqual(
      expect.arrayContaining([
        'futago_box_role{box="a",role="active"} 1',
        'futago_box_role{box="a",role="standby"} 0',
        "futago_pair_survives 0.5",
        "futago_peer_alive 1",
        'futago_peer_path_rtt_seconds{path="sync"} 0.00025',
        "futago_heartbeat_dead_seconds 0.075",
        'futago_heartbeat_events_total{event="sent"} 7',
        'futago_group_since_seconds{group="edge"} 1767323045.5',
        "futago_connections 5",
        `futago_service_received_bytes_total{${service}} 1000`,
        `futago_service_sent_packets_total{${service}} 20`,
        `futago_backend_healthy{${service},backend="s1"} 0`,
        `futago_backend_draining{${service},backend="s1"} 1`,
        `futago_backend_connections{${service},backend="s1"} 6`,
        'futago_port_speed_bytes{box="a",device="eth0",interface="wan"} 125000000',
        'futago_port_troubles_total{box="a",device="eth0",interface="wan"} 15',
        'futago_alarm{kind="widened"} 2',
        'futago_events_total{event="dropDenied"} 9',
        "futago_drill_silence_seconds 0.0015",
      ]),
    );
  });

  it("leave out what is not known", async () => {
    const text = await metricsText({ ...status, peer: null, heartbeat: null, lastDrill: null }, boxes);
    expect(text).not.toContain("futago_connections_replicated");
    expect(text).not.toContain('rtt_seconds{path="lan"}');
    expect(text).not.toMatch(/futago_(peer|heartbeat|drill)_/);
    expect(text).not.toContain("NaN");
  });

  it("have a help text, and a unit in their names: totals are counters, and counters totals", () => {
    for (const [name, [kind, , help]] of Object.entries(METRICS)) {
      expect([name, kind]).toEqual([name, name.endsWith("_total") ? "counter" : "gauge"]);
      expect(help).toMatch(/^[A-Z].*\.$/);
      expect(name).not.toMatch(/_(ms|millis|micros|kb|mb|percent)\b/);
    }
  });

  it("are all in their document, and it names no others; nor do the dashboard and the alert rules", () => {
    expect([...names(docs("metrics.md"))].toSorted()).toEqual(Object.keys(METRICS).toSorted());
    for (const file of ["grafana/futago.json", "prometheus/futago-alerts.yml"]) {
      const used = [...names(docs(file))];
      expect(used.length).toBeGreaterThan(10);
      expect([file, used.filter((name) => !Object.hasOwn(METRICS, name))]).toEqual([file, []]);
    }
  });

  it("are used in the dashboard and in the rules with labels that they have", () => {
    for (const file of ["grafana/futago.json", "prometheus/futago-alerts.yml"]) {
      const selectors = docs(file).matchAll(/\b(futago_\w+)\{([^}]*)\}/g);
      for (const [, name = "", inside = ""] of selectors) {
        const labels = METRICS[name as keyof typeof METRICS][1].split(" ");
        for (const [, label = ""] of inside.matchAll(/(\w+)\s*[=!]~?/g))
          expect([...labels, "instance", "job"], `${file}: ${name}`).toContain(label);
      }
    }
  });

  it("come in a dashboard that is one, and in rules that say what to do", () => {
    const dashboard = JSON.parse(docs("grafana/futago.json")) as { title: string; panels: { title: string }[] };
    expect(dashboard.title).toBe("Futago");
    expect(dashboard.panels.length).toBeGreaterThan(8);
    const rules = docs("prometheus/futago-alerts.yml");
    const alerts = rules.match(/- alert:/g)?.length ?? 0;
    expect(alerts).toBeGreaterThan(7);
    for (const part of ["expr:", "summary:", "description:"]) expect(rules.split(part).length - 1).toBe(alerts);
  });
});
