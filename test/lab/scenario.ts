/** What the lab can be: who is plugged in where, what both boxes are told, and what the client asks. */
import { type DocumentChoices, labDocument } from "./document.ts";
import { withModes } from "./modes.ts";
import { MODES_LAYOUT, type BackendName, type Box, BOXES, type Layout, SERVERS, VIP } from "./topology.ts";
import { WEB_SERVERS_LAYOUT, WEB_SERVERS_VIPS, webServersDocument } from "./web-servers.ts";

export type ScenarioName = "balanced" | "web-servers";

/** A web server of the lab: behind the boxes, or on the box whose name it has. */
export type ServerName = BackendName | Box;

export interface Scenario {
  readonly name: ScenarioName;
  readonly layout: Layout;
  /** What the client asks, in turn. The first is an IPv4 address and is also probed. */
  readonly vips: readonly [string, ...string[]];
  readonly servers: readonly ServerName[];
  /** Whether an iperf3 stream goes from the client through the boxes. */
  readonly stream: boolean;
  /** Whether there are services in `one-arm` and `direct`, and one over UDP. */
  readonly modes: boolean;
  readonly requestsPerSecond: number;
  readonly document: (choices: DocumentChoices) => unknown;
}

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  balanced: {
    name: "balanced",
    layout: MODES_LAYOUT,
    vips: [VIP],
    servers: SERVERS,
    stream: true,
    modes: true,
    requestsPerSecond: 1_000,
    document: ({ profile, preempt }) => withModes(labDocument(profile, 2, preempt)),
  },
  "web-servers": {
    name: "web-servers",
    layout: WEB_SERVERS_LAYOUT,
    vips: WEB_SERVERS_VIPS,
    servers: BOXES,
    stream: false,
    modes: false,
    requestsPerSecond: 200,
    document: webServersDocument,
  },
};

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[];

export function isScenarioName(name: unknown): name is ScenarioName {
  return typeof name === "string" && Object.hasOwn(SCENARIOS, name);
}

export function isBackend(name: ServerName): name is BackendName {
  return name !== "a" && name !== "b";
}
