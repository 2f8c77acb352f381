/** Looks at the parts of core, the disk, the pages and the machine, for whether the version that runs is good. */
import { open } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { Finding } from "../../../update/proof.ts";
import { RefusalError } from "../../exit-code.ts";
import { fileTrouble } from "../../files.ts";
import type { SentinelStatus } from "../../messages.ts";
import type { MachineHealth } from "../../update/protocol.ts";
import type { Listening } from "../access/web-face.ts";
import type { Configuration } from "../configuration.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import { findingsOf, type Sights } from "./findings.ts";
import type { AskUpdater } from "./updater-client.ts";

export interface LookedAt {
  readonly stateDirectory: string;
  readonly configuration: Pick<Configuration, "troubles" | "inForce">;
  readonly network: Pick<NetworkKeeper, "troubles" | "missingDevices" | "links">;
  readonly sentinel: Pick<SentinelLink, "connected">;
  readonly status: () => SentinelStatus | undefined;
  /** Undefined on a box alone. */
  readonly replication: () => { readonly linked: boolean; readonly whole: boolean } | undefined;
  readonly isLinked: () => boolean;
  readonly isWebWanted: boolean;
  readonly listening: () => Listening | undefined;
  /** Ports that had a link before the update. */
  readonly portsBefore: () => Promise<readonly string[]>;
}

const PAGES_MILLIS_MAX = 10_000;
const PROBE_FILE = ".written";

export async function lookAt(parts: LookedAt, updater: AskUpdater): Promise<readonly Finding[]> {
  const { configuration, network } = parts;
  const [machine, dataTrouble, pagesTrouble, before] = await Promise.all([
    askMachine(updater),
    writeProbe(join(parts.stateDirectory, PROBE_FILE)),
    askPages(parts),
    parts.portsBefore(),
  ]);
  const alive = new Set(network.links.filter(({ carrier }) => carrier).map(({ ifname }) => String(ifname)));
  return findingsOf({
    machine,
    dataTrouble,
    pagesTrouble,
    // What was mended is an alarm, and works.
    storeTroubles: [configuration.troubles.get("configuration-unusable") ?? []].flat(),
    networkTroubles: network.troubles.map(({ sentence }) => sentence),
    missingDevices: network.missingDevices,
    deadPorts: before.filter((port) => !alive.has(port)),
    sentinelIsThere: parts.sentinel.connected,
    peer: peerOf(parts),
  });
}

function peerOf({ configuration, replication, status, isLinked }: LookedAt): Sights["peer"] {
  if (configuration.inForce?.resolved.pair === undefined) return undefined;
  const flows = replication();
  return {
    isHeard: status()?.peer?.alive === true,
    isLinked: isLinked(),
    // A pair whose services keep no connections of their own has none to tell.
    hasCaughtUp: flows === undefined || (flows.linked && flows.whole),
  };
}

async function askMachine(updater: AskUpdater): Promise<MachineHealth | undefined> {
  try {
    return await updater("health", {});
  } catch (error) {
    if (error instanceof RefusalError) return undefined;
    throw error;
  }
}

/** Undefined when a byte was put on the disk. */
async function writeProbe(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, "w", 0o600);
    try {
      await file.write("1");
      await file.sync();
    } finally {
      await file.close();
    }
    return undefined;
  } catch (error) {
    return fileTrouble(error);
  }
}

/** Undefined when the web process answers as a browser would ask it. */
function askPages({ isWebWanted, listening }: LookedAt): Promise<string | undefined> {
  if (!isWebWanted) return Promise.resolve(undefined);
  const at = listening();
  if (at === undefined) return Promise.resolve("it does not listen");
  const host = at.address === "0.0.0.0" ? "127.0.0.1" : at.address === "::" ? "::1" : at.address;
  return new Promise((resolve) => {
    // Its certificate is this box's own, whoever signed it.
    const asked = request(
      { host, port: at.port, path: "/healthz", rejectUnauthorized: false, agent: false },
      (reply) => {
        reply.resume();
        // A box that is not ready answers 503, and what keeps it from that is looked at by itself.
        resolve(reply.statusCode === undefined ? "its answer cannot be read" : undefined);
      },
    );
    asked.setTimeout(PAGES_MILLIS_MAX, () => asked.destroy(new Error("it is silent")));
    asked.on("error", (error) => resolve(error.message));
    asked.end();
  });
}
