/** Switches and hosts around machines: a bridge per network in one namespace, a tap per port of a machine. */
import { createNetwork, type Namespace, type TestNetwork } from "../../netns/namespaces.ts";
import type { Cable } from "./machine.ts";

export class Cabling {
  readonly #network: TestNetwork;
  /** Where bridges and taps are, and QEMU runs. */
  readonly switches: Namespace;
  #macs = 0;

  private constructor(network: TestNetwork, switches: Namespace) {
    this.#network = network;
    this.switches = switches;
  }

  /** `names`: one network each, such as "wan" and "lan". */
  static async start(names: readonly string[]): Promise<Cabling> {
    const network = await createNetwork();
    const switches = await network.namespace("switches");
    for (const name of names) await switches.bridge(name, []);
    return new Cabling(network, switches);
  }

  /** A cable from a new port of machine `box` to each of the networks, in their order. */
  async cables(box: string, networks: readonly string[]): Promise<readonly Cable[]> {
    const cables: Cable[] = [];
    for (const name of networks) {
      const tap = `${name}-${box}`;
      await this.switches.ip(`tuntap add ${tap} mode tap`);
      await this.switches.ip(`link set ${tap} master ${name} up`);
      this.#macs += 1;
      cables.push({ tap, mac: `52:54:00:00:00:${this.#macs.toString(16).padStart(2, "0")}` });
    }
    return cables;
  }

  /** A host of its own on one of the networks. */
  async host(name: string, on: string, address: string): Promise<Namespace> {
    const host = await this.#network.namespace(name);
    await this.#network.link(host, "eth0", this.switches, `${name}-host`);
    await this.switches.ip(`link set ${name}-host master ${on}`);
    // Frames that a box redirects carry no checksum by hardware.
    await host.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off"]);
    await host.ip(`addr add ${address} dev eth0`);
    return host;
  }

  async destroy(): Promise<void> {
    await this.#network.destroy();
  }
}
