/**
 * What people ask of a running balancer: its flows, the way of a packet, copies of packets, and backends to drain; and
 * what they let the box ask others.
 */
import { lookup } from "node:dns/promises";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { captureTables, CAPTURE_BYTES_MAX, CAPTURE_ENDPOINTS_MAX } from "@futago/hal/xdp/capture.ts";
import { type BalancerInspection, inspectBalancer } from "@futago/hal/xdp/inspect.ts";
import type { Resolved, ResolvedPool, ResolvedService } from "../../../config/resolved.ts";
import type {
  CaptureEvent,
  CaptureQuery,
  FlowsQuery,
  FlowsShown,
  ServiceAttachment,
  TraceQuery,
  TraceShown,
} from "../../control.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { GroupStatus } from "../../messages.ts";
import { PacketCapture } from "../capture/packet-capture.ts";
import type { BackendHealth } from "../checks/backend-health.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import type { BalancerView } from "../trace/balancer-view.ts";
import { listFlows } from "../trace/flow-list.ts";
import { traceByRules, traceFlow } from "../trace/tracer.ts";
import type { Drain } from "../peer-link/drain.ts";
import type { Drains } from "./drains.ts";
import { Diagnostics } from "../diagnostics/diagnostics.ts";
import { Targets } from "../diagnostics/target.ts";
import type { Surroundings } from "../../../config/asked-address.ts";
import type { BegunStreams } from "./control-server.ts";
import { type Answers, captureQuery } from "./handlers.ts";
import { backendNamed, clientNamed, serviceNamed } from "./named.ts";

export interface ToolboxOptions {
  readonly hal: Pick<Hal, "clock" | "network" | "icmp">;
  readonly balancer: BalancerView;
  readonly config: () => Resolved | undefined;
  readonly groups: () => readonly GroupStatus[];
  readonly healthOf: (pool: ResolvedPool) => readonly BackendHealth[];
  readonly network: Pick<NetworkKeeper, "links" | "addresses">;
  readonly attachmentOf: (service: ResolvedService) => ServiceAttachment;
  readonly drains: Drains;
  /** Which backends drain is not what it was. */
  readonly onDrains: () => void;
}

interface Tools {
  readonly object: BpfObject;
  readonly inspection: BalancerInspection;
  readonly capture: PacketCapture;
}

const FLOWS_SHOWN = 50;
/** One answer is one line of the control socket (CONTROL_LINE_BYTES_MAX). */
const FLOWS_SHOWN_MAX = 50_000;
const CAPTURE_PACKETS = 1_000;
const CAPTURE_PACKETS_MAX = 1_000_000;
const CAPTURE_SECONDS = 60;
const CAPTURE_SECONDS_MAX = 3_600;
const PORT_MAX = 0xffff;

export class Toolbox {
  readonly #options: ToolboxOptions;
  readonly #diagnostics: Diagnostics;
  #tools: Tools;

  constructor(options: ToolboxOptions) {
    this.#options = options;
    const find = (name: string) => lookup(name, { all: true, order: "verbatim" });
    this.#diagnostics = new Diagnostics(
      options.hal,
      new Targets({ lookup: find, surroundings: () => this.#surroundings() }),
    );
    this.#tools = this.#openTools();
  }

  /** Of the tables as they are now: those of another size are other tables. A capture of the former ends. */
  #now(): Tools {
    if (this.#tools.object === this.#options.balancer.object) return this.#tools;
    this.#tools.capture.close();
    this.#tools = this.#openTools();
    return this.#tools;
  }

  #openTools(): Tools {
    const { hal, balancer, config, network } = this.#options;
    const { object } = balancer;
    const capture = new PacketCapture({
      tables: captureTables(object),
      clock: hal.clock,
      links: () => network.links,
      hostname: () => config()?.system.hostname ?? "",
      devices: () => this.#devices(),
    });
    return { object, inspection: inspectBalancer(object), capture };
  }

  /** Its part of what can be asked. */
  get answers(): Pick<Answers, "flows" | "trace" | "drain"> {
    return {
      flows: (query) => this.#flows(query),
      trace: (query) => this.#trace(query),
      drain: async (backend, on) => {
        const shown = await this.#options.drains.order(this.#options.config(), backend, on);
        this.#options.onDrains();
        return shown;
      },
    };
  }

  /** And of what can be begun. */
  get begun(): BegunStreams {
    return {
      capture: (query, onEvent) => this.#beginCapture(captureQuery(query), onEvent),
      ...this.#diagnostics.begun,
    };
  }

  async mergeDrains(told: readonly Drain[]): Promise<void> {
    if (await this.#options.drains.merge(told)) this.#options.onDrains();
  }

  async #flows(query: FlowsQuery): Promise<FlowsShown> {
    const config = this.#config();
    return listFlows(this.#now().inspection, {
      config,
      serviceAt: this.#options.balancer.serviceAt,
      nowNanos: this.#nowNanos(),
      service: query.service === undefined ? undefined : serviceNamed(config, query.service),
      client: query.client === undefined ? undefined : clientNamed(query.client),
      backend: query.backend === undefined ? undefined : backendNamed(config, query.backend),
      limit: within("limit", query.limit ?? FLOWS_SHOWN, FLOWS_SHOWN_MAX),
    });
  }

  async #trace({ client, clientPort, service }: TraceQuery): Promise<TraceShown> {
    const { hal, groups, healthOf, balancer, attachmentOf } = this.#options;
    const config = this.#config();
    const asked = {
      client: clientNamed(client),
      clientPort: clientPort === undefined ? undefined : within("the client's port", clientPort, PORT_MAX),
      service: serviceNamed(config, service),
    };
    const { attach, attachReason } = attachmentOf(asked.service);
    if (attach === "nftables") return traceByRules(attachReason ?? "");
    const sources = { config, groups: groups(), healthOf, balancer, inspection: this.#now().inspection };
    return traceFlow({ ...sources, network: hal.network, nowNanos: this.#nowNanos() }, asked);
  }

  /** Returns what ends it before its time. */
  #beginCapture(query: CaptureQuery, onEvent: (event: CaptureEvent) => void): () => void {
    const service = query.service === undefined ? undefined : serviceNamed(this.#config(), query.service);
    const endpoints = service?.addresses.map((address) => ({
      address,
      port: service.port,
      protocol: service.protocol,
    }));
    if ((endpoints?.length ?? 0) > CAPTURE_ENDPOINTS_MAX / 2) {
      throw refuse(`${query.service} has more addresses than one capture can name`, "Name a client instead.");
    }
    const wanted = {
      client: query.client === undefined ? undefined : clientNamed(query.client),
      endpoints,
      count: within("--count", query.count ?? CAPTURE_PACKETS, CAPTURE_PACKETS_MAX),
      seconds: Math.min(query.seconds ?? CAPTURE_SECONDS, CAPTURE_SECONDS_MAX),
      snap: within("--snap", query.snap ?? CAPTURE_BYTES_MAX, CAPTURE_BYTES_MAX),
    };
    return this.#now().capture.begin(wanted, onEvent);
  }

  close(): void {
    this.#tools.capture.close();
    this.#diagnostics.close();
  }

  /** What nobody lets the box ask: itself and its peer, on whichever address. */
  #surroundings(): Surroundings {
    const config = this.#options.config();
    const theirs = (config?.interfaces ?? []).flatMap(({ peerAddresses }) => peerAddresses);
    const virtual = (config?.groups ?? [])
      .flatMap((group) => group.virtualRouters)
      .flatMap(({ addresses }) => addresses);
    return { own: this.#options.network.addresses, pair: [...theirs, ...virtual].map(({ address }) => address) };
  }

  #config(): Resolved {
    const config = this.#options.config();
    if (config !== undefined) return config;
    throw refuse("this box has no configuration yet", "Give it one with `futago config apply FILE`.");
  }

  #nowNanos(): bigint {
    return BigInt(this.#options.hal.clock.now()) * 1_000n;
  }

  #devices(): readonly string[] {
    const { network, balancer } = this.#options;
    return network.links.map((link) => link.ifname).filter((device) => balancer.modeOf(device) !== "none");
  }
}

function within(what: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new RefusalError({
    exitCode: ExitCode.usage,
    what: `${what} is a whole number from 1 to ${max}, not ${value}`,
  });
}

function refuse(what: string, mend: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, what, mend });
}
