/**
 * `/metrics` for Prometheus, made from the box's own status and from the boxes: base units in the names, totals end with
 * `_total`. docs/metrics.md lists them.
 *
 * @see https://prometheus.io/docs/practices/naming/
 */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { Counter, Gauge, Registry } from "prom-client";

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

type Labels = Readonly<Record<string, string>>;
type Kind = "gauge" | "counter";

/** Every metric: its kind, its labels and what it says. */
export const METRICS = {
  futago_box_info: ["gauge", "box hostname version role revision", "Always 1; what the box is, in its labels."],
  futago_box_role: ["gauge", "box role", "Whether the box has that role: 1, or 0."],
  futago_box_uptime_seconds: ["gauge", "box", "Since the kernel started."],
  futago_pair_survives: ["gauge", "", "Whether the pair would survive the next failure: 1 yes, 0.5 partly, 0 no."],
  futago_peer_alive: ["gauge", "", "Whether the peer's heartbeats are heard."],
  futago_peer_path_alive: ["gauge", "path", "Whether heartbeats come over the path."],
  futago_peer_path_rtt_seconds: ["gauge", "path", "Of the newest heartbeat."],
  futago_heartbeat_dead_seconds: ["gauge", "", "After this long a silent peer counts as dead."],
  futago_heartbeat_lease_seconds: [
    "gauge",
    "",
    "So long a virtual address answers without the peer's acknowledgement.",
  ],
  futago_heartbeat_lateness_seconds: ["gauge", "", "How late this box's timers are, p99.9 of a minute."],
  futago_heartbeat_events_total: ["counter", "event", "Heartbeats sent, heard and refused."],
  futago_group_active: ["gauge", "group", "Whether this box holds the failover group."],
  futago_group_answering: ["gauge", "group", "Whether the group's virtual addresses answer here."],
  futago_group_priority: ["gauge", "group", "This box's Priority for the group."],
  futago_group_since_seconds: ["gauge", "group", "When the state began, in seconds since 1970."],
  futago_connections: ["gauge", "", "Established connections in this box's table."],
  futago_connections_replicated: ["gauge", "", "Those of them that the peer has, too."],
  futago_replication_whole: ["gauge", "", "Whether the peer has this box's whole table."],
  futago_service_info: ["gauge", "service pool mode protocol attach", "Always 1; what the service is, in its labels."],
  futago_service_received_bytes_total: ["counter", "service pool", "From clients."],
  futago_service_sent_bytes_total: ["counter", "service pool", "To clients; none in direct mode."],
  futago_service_received_packets_total: ["counter", "service pool", "From clients."],
  futago_service_sent_packets_total: ["counter", "service pool", "To clients; none in direct mode."],
  futago_service_connections_began_total: ["counter", "service pool", "Connections that began."],
  futago_service_connections: ["gauge", "service pool", "Established TCP connections."],
  futago_backend_healthy: ["gauge", "service pool backend", "What the backend's check says."],
  futago_backend_draining: ["gauge", "service pool backend", "Keeps its connections and takes no new ones."],
  futago_backend_weight: ["gauge", "service pool backend", "Its share of new connections."],
  futago_backend_connections: [
    "gauge",
    "service pool backend",
    "Connections that a packet of the last minute had, just ended ones included.",
  ],
  futago_backend_received_bytes_total: ["counter", "service pool backend", "From clients."],
  futago_backend_sent_bytes_total: ["counter", "service pool backend", "To clients; none in direct mode."],
  futago_backend_connections_began_total: ["counter", "service pool backend", "Connections that began."],
  futago_port_up: ["gauge", "box device interface", "Whether the port is up and has a carrier."],
  futago_port_speed_bytes: ["gauge", "box device interface", "Bytes a second that the port can carry."],
  futago_port_received_bytes_total: ["counter", "box device interface", "As the kernel counts."],
  futago_port_sent_bytes_total: ["counter", "box device interface", "As the kernel counts."],
  futago_port_received_packets_total: ["counter", "box device interface", "As the kernel counts."],
  futago_port_sent_packets_total: ["counter", "box device interface", "As the kernel counts."],
  futago_port_troubles_total: ["counter", "box device interface", "Packets dropped or broken, either way."],
  futago_alarm: ["gauge", "kind", "How many alarms of the kind there are now."],
  futago_events_total: ["counter", "event", "The named counters of `futago status`."],
  futago_drill_passed: ["gauge", "", "Whether the newest drill was as good as it must be."],
  futago_drill_time_seconds: ["gauge", "", "When the newest drill was, in seconds since 1970."],
  futago_drill_silence_seconds: ["gauge", "", "The longest silence of a virtual address in it."],
  futago_drill_lost_probes: ["gauge", "", "Probes that nobody answered in it."],
} as const satisfies Readonly<Record<string, readonly [kind: Kind, labels: string, help: string]>>;
type Name = keyof typeof METRICS;

const ROLES = ["active", "standby", "spare", "maintenance", "fault", "alone"];
const SURVIVES = { yes: 1, partly: 0.5, no: 0 } as const;

class Scrape {
  readonly registry = new Registry();
  readonly #made = new Map<Name, Gauge | Counter>();

  /** Null: not known, so that nothing is said. */
  put(name: Name, value: number | boolean | null, labels: Labels = {}): void {
    if (value === null || (typeof value === "number" && !Number.isFinite(value))) return;
    const number = Number(value);
    const metric = this.#metric(name);
    if (metric instanceof Gauge) metric.set(labels, number);
    else metric.inc(labels, Math.max(0, number));
  }

  #metric(name: Name): Gauge | Counter {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const [kind, labels, help] = METRICS[name];
    const options = {
      name,
      help,
      labelNames: labels === "" ? [] : labels.split(" "),
      registers: [this.registry],
    };
    const made = kind === "gauge" ? new Gauge(options) : new Counter(options);
    this.#made.set(name, made);
    return made;
  }
}

export function metricsText(status: BoxStatus, boxes: BoxesShown): Promise<string> {
  const scrape = new Scrape();
  boxMetrics(scrape, status, boxes);
  pairMetrics(scrape, status);
  for (const service of status.services) serviceMetrics(scrape, service);
  for (const box of boxes.boxes) portMetrics(scrape, box);
  drillMetrics(scrape, status);
  return scrape.registry.metrics();
}

function boxMetrics(scrape: Scrape, status: BoxStatus, { boxes, survival }: BoxesShown): void {
  for (const { box, hostname, version, role, revision, uptimeSeconds } of boxes) {
    scrape.put("futago_box_info", 1, { box, hostname, version, role, revision });
    for (const one of ROLES) scrape.put("futago_box_role", one === role, { box, role: one });
    scrape.put("futago_box_uptime_seconds", uptimeSeconds, { box });
  }
  scrape.put("futago_pair_survives", SURVIVES[survival.survives]);
  scrape.put("futago_connections", status.connections.established);
  scrape.put("futago_connections_replicated", status.connections.replicated);
  scrape.put("futago_replication_whole", status.replication === null ? null : status.replication.whole);
  const kinds = Map.groupBy(status.alarms, ({ kind }) => kind);
  for (const [kind, alarms] of kinds) scrape.put("futago_alarm", alarms.length, { kind });
  for (const [event, count] of Object.entries(status.counters)) scrape.put("futago_events_total", count, { event });
  for (const { name: group, state, answering, priority, since } of status.groups) {
    scrape.put("futago_group_active", state === "active", { group });
    scrape.put("futago_group_answering", answering, { group });
    scrape.put("futago_group_priority", priority, { group });
    scrape.put("futago_group_since_seconds", Date.parse(since) / 1_000, { group });
  }
}

function pairMetrics(scrape: Scrape, { peer, heartbeat }: BoxStatus): void {
  if (peer !== null) {
    scrape.put("futago_peer_alive", peer.alive);
    for (const { interface: path, alive, rttMicros } of peer.paths) {
      scrape.put("futago_peer_path_alive", alive, { path });
      scrape.put("futago_peer_path_rtt_seconds", rttMicros === null ? null : rttMicros / 1e6, { path });
    }
  }
  if (heartbeat === null) return;
  scrape.put("futago_heartbeat_dead_seconds", heartbeat.deadMs / 1_000);
  scrape.put("futago_heartbeat_lease_seconds", heartbeat.leaseMs / 1_000);
  scrape.put("futago_heartbeat_lateness_seconds", heartbeat.latenessP999Ms / 1_000);
  for (const [event, count] of Object.entries(heartbeat.counters))
    scrape.put("futago_heartbeat_events_total", count, { event });
}

function serviceMetrics(scrape: Scrape, one: BoxStatus["services"][number]): void {
  const { name: service, pool, mode, protocol, attach, traffic, connections } = one;
  const labels = { service, pool };
  scrape.put("futago_service_info", 1, { ...labels, mode, protocol, attach });
  scrape.put("futago_service_received_bytes_total", traffic.bytesIn, labels);
  scrape.put("futago_service_sent_bytes_total", traffic.bytesOut, labels);
  scrape.put("futago_service_received_packets_total", traffic.packetsIn, labels);
  scrape.put("futago_service_sent_packets_total", traffic.packetsOut, labels);
  scrape.put("futago_service_connections_began_total", traffic.flows, labels);
  scrape.put("futago_service_connections", connections.established, labels);
  for (const { name: backend, healthy, draining, weight, flows, traffic: carried } of one.backends) {
    const of = { ...labels, backend };
    scrape.put("futago_backend_healthy", healthy, of);
    scrape.put("futago_backend_draining", draining, of);
    scrape.put("futago_backend_weight", weight, of);
    scrape.put("futago_backend_connections", flows, of);
    scrape.put("futago_backend_received_bytes_total", carried.bytesIn, of);
    scrape.put("futago_backend_sent_bytes_total", carried.bytesOut, of);
    scrape.put("futago_backend_connections_began_total", carried.flows, of);
  }
}

function portMetrics(scrape: Scrape, { box, ports }: BoxesShown["boxes"][number]): void {
  for (const port of ports) {
    const labels = { box, device: port.device, interface: port.interface ?? "" };
    scrape.put("futago_port_up", port.up && port.carrier, labels);
    scrape.put("futago_port_speed_bytes", port.speedMbps === null ? null : (port.speedMbps * 1e6) / 8, labels);
    scrape.put("futago_port_received_bytes_total", port.receivedBytes, labels);
    scrape.put("futago_port_sent_bytes_total", port.sentBytes, labels);
    scrape.put("futago_port_received_packets_total", port.receivedPackets, labels);
    scrape.put("futago_port_sent_packets_total", port.sentPackets, labels);
    scrape.put("futago_port_troubles_total", port.troubles, labels);
  }
}

function drillMetrics(scrape: Scrape, { lastDrill }: BoxStatus): void {
  if (lastDrill === null) return;
  const { passed, at, silenceMicros, lost } = lastDrill;
  scrape.put("futago_drill_passed", passed);
  scrape.put("futago_drill_time_seconds", Date.parse(at) / 1_000);
  scrape.put("futago_drill_silence_seconds", silenceMicros === null ? null : silenceMicros / 1e6);
  scrape.put("futago_drill_lost_probes", lost);
}
