/**
 * What the supervisor does for a machine that is a box and nothing else: names its ports and the machine itself, carries
 * out what a person chose at the boot menu, and tells the programs around the box who owns the ports. Two files in the
 * run-time directory say it, of which one is there: `bare` while there is no configuration, `configured` from then on.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Network } from "@futago/hal/contract/network.ts";
import { boxName, type PortNames } from "../../ports/port-names.ts";
import { orderReset } from "../reset.ts";
import { type BootRequest, bootRequest } from "./boot-request.ts";
import { lastPortNetwork } from "./bare-network.ts";
import { forgetPortNames, type MachineRoots, nameMachinePorts } from "./machine-ports.ts";

export interface ApplianceOptions {
  /** What outlasts a reset of the box: the names of the ports. */
  readonly systemDirectory: string;
  /** Gone with the power. Undefined where nobody made one: then nothing is told. */
  readonly runDirectory: string | undefined;
  readonly roots: MachineRoots;
  readonly network: Network;
}

const OWNERS = ["bare", "configured"] as const;
/** What was chosen at the boot menu, from the moment when it was seen: it is done once, however often the box starts. */
const REQUEST_FILE = "request";
/** Who may come in by ssh, and how the box is known there; `futago ssh` and the image's units make them. */
const SSH_FILES = ["authorized_keys", "host_key", "host_key.pub"];
const DIED_FILE = "died";
const LAST_PORT_FILE = "last-port.network";

export class Appliance {
  readonly #options: ApplianceOptions;
  #bareName = "";

  constructor(options: ApplianceOptions) {
    this.#options = options;
  }

  /** Orders what was chosen at the boot menu, to be carried out at this start. Throws RefusalError. */
  takeRequest(stateDirectory: string): void {
    const { runDirectory, roots } = this.#options;
    if (runDirectory === undefined) return;
    const seen = join(runDirectory, REQUEST_FILE);
    const request: BootRequest | undefined = bootRequest(readFileSync(join(roots.proc, "cmdline"), "utf8"));
    if (request === undefined || existsSync(seen)) return;
    if (request === "factory-reset") orderReset(stateDirectory);
    mkdirSync(runDirectory, { recursive: true, mode: 0o755 });
    writeFileSync(seen, `${request}\n`);
    say("boot-request", { request });
  }

  /** The ports get their names before anybody asks for one. A box whose kernel refuses starts with those that it has. */
  async namePorts(): Promise<void> {
    const { network, systemDirectory, roots, runDirectory } = this.#options;
    try {
      const names = await nameMachinePorts(network, systemDirectory, roots);
      say("ports", portsSaid(names));
      const mac = (await network.links()).find(({ ifindex }) => ifindex === names.ports[0]?.ifindex)?.mac;
      this.#bareName = mac === undefined ? "futago" : boxName(mac);
      this.#setHostname(this.#bareName);
      const last = names.ports.at(-1);
      if (last !== undefined && runDirectory !== undefined) {
        const file = join(runDirectory, LAST_PORT_FILE);
        writeFileSync(file, lastPortNetwork(last.name));
        // systemd-networkd reads it, which is not root.
        chmodSync(file, 0o644);
      }
    } catch (error) {
      if (!(error instanceof HalError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
      say("ports-refused", { error: String(error) });
    }
  }

  /** Of a box that forgot everything: its ports are named as on a new one, and nobody has a key to its system. */
  async forget(): Promise<void> {
    const { systemDirectory } = this.#options;
    forgetPortNames(systemDirectory);
    for (const name of SSH_FILES) rmSync(join(systemDirectory, "ssh", name), { force: true });
    await this.namePorts();
  }

  /** `hostname` of the configuration in force; undefined where there is none. */
  setOwner(hostname: string | undefined): void {
    const { runDirectory } = this.#options;
    const owner = hostname === undefined ? "bare" : "configured";
    this.#setHostname(hostname === undefined || hostname === "" ? this.#bareName : hostname);
    if (runDirectory === undefined) return;
    for (const name of OWNERS) if (name !== owner) rmSync(join(runDirectory, name), { force: true });
    writeFileSync(join(runDirectory, owner), "");
  }

  /** Something of the box died: the end of the log is kept by whoever sees the file change. */
  died(): void {
    const { runDirectory } = this.#options;
    if (runDirectory !== undefined) writeFileSync(join(runDirectory, DIED_FILE), new Date().toISOString());
  }

  #setHostname(name: string): void {
    const path = join(this.#options.roots.proc, "sys/kernel/hostname");
    try {
      if (name !== "" && readFileSync(path, "utf8").trim() !== name) writeFileSync(path, name);
    } catch (error) {
      // A name serves people only; a machine that keeps its own is a box as well.
      say("hostname-refused", { name, error: String(error) });
    }
  }
}

function portsSaid({ ports, missing }: PortNames): Readonly<Record<string, unknown>> {
  return {
    ports: Object.fromEntries(ports.map(({ name, place }) => [name, place])),
    ...(missing.length === 0 ? {} : { missing: missing.map(({ name }) => name) }),
  };
}

/** In the shape of core's log. */
function say(event: string, fields: Readonly<Record<string, unknown>>): void {
  const line = { level: 30, time: new Date().toISOString(), process: "supervisor", ...fields, event };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
