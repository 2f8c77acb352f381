/** What each key of the live view does to the lab. Every action is told in the event log, refusals too. */
import { drillSentence } from "@futago/firmware/pair/drill/judge.ts";
import type { Component } from "./box.ts";
import type { Lab } from "./lab.ts";
import type { ServerName } from "./scenario.ts";
import { type Box, BOXES, type Port } from "./topology.ts";
import { FIRST_SERVER_KEY } from "./view.ts";

const POWER: Readonly<Record<string, Box>> = { "1": "a", "2": "b" };
const CABLES: Readonly<Record<string, Port>> = { w: "wan", l: "lan", s: "sync" };
const KILLS: Readonly<Record<string, Component>> = { c: "core", n: "sentinel", p: "pulse" };

export class Keys {
  readonly #lab: Lab;
  readonly #quit: () => void;
  #cable: Port | undefined;

  constructor(lab: Lab, quit: () => void) {
    this.#lab = lab;
    this.#quit = quit;
  }

  /** What the view asks, while a key waits for a second one. */
  get prompt(): string {
    return this.#cable === undefined ? "" : `${this.#cable} cable of which box, a or b? (any other key: none)`;
  }

  press(key: string): void {
    // Control-C arrives as a character in raw mode.
    if (key === "q" || key === "\x03") return this.#quit();
    this.#act(key).catch((error: unknown) => this.#lab.log.add(`not done: ${(error as Error).message}`));
  }

  async #act(key: string): Promise<void> {
    const cable = this.#cable;
    this.#cable = undefined;
    if (cable !== undefined) {
      const box = BOXES.find((candidate) => candidate === key);
      if (box !== undefined) await this.#toggleCable(box, cable);
      return;
    }
    const power = own(POWER, key);
    if (power !== undefined) return this.#togglePower(power);
    this.#cable = this.#lab.scenario.layout.ports.find((port) => port === own(CABLES, key));
    const component = own(KILLS, key);
    if (component !== undefined) return this.#kill(component);
    const server = /^\d$/.test(key) ? this.#lab.scenario.servers[Number(key) - FIRST_SERVER_KEY] : undefined;
    if (server !== undefined) return this.#toggleServer(server);
    if (key === "f") return this.#toggleFreeze();
    if (key === "x") return this.#switchOver();
    if (key === "d" || key === "D") return this.#drill(key === "D");
  }

  async #togglePower(name: Box): Promise<void> {
    const box = this.#lab.boxes[name];
    if (box.power === "off") {
      this.#lab.log.add(`powering on ${name}`);
      this.#lab.log.add(`${name} ready after ${Math.round(await box.powerOn())} ms`);
    } else {
      this.#lab.log.add(`power of ${name} is cut`);
      await box.powerOff();
    }
  }

  async #toggleCable(name: Box, port: Port): Promise<void> {
    const box = this.#lab.boxes[name];
    if (box.power === "off") throw new Error(`box ${name} has no power`);
    const plugged = box.isPlugged(port);
    this.#lab.log.add(`${port} cable of ${name} is ${plugged ? "pulled" : "plugged"}`);
    await box.setCable(port, !plugged);
  }

  #kill(component: Component): void {
    const name = this.#active();
    this.#lab.log.add(`kill -9 ${component} of ${name}`);
    this.#lab.boxes[name].kill(component);
  }

  #toggleFreeze(): void {
    const frozen = BOXES.find((box) => this.#lab.boxes[box].power === "frozen");
    const name = frozen ?? this.#active();
    this.#lab.log.add(`${frozen === undefined ? "SIGSTOP" : "SIGCONT"} to everything of ${name}`);
    if (frozen === undefined) this.#lab.boxes[name].freeze();
    else this.#lab.boxes[name].thaw();
  }

  async #toggleServer(name: ServerName): Promise<void> {
    const server = this.#lab.server(name);
    this.#lab.log.add(`web server ${name} is ${server.alive ? "killed" : "started"}`);
    await (server.alive ? server.kill() : server.start());
  }

  async #switchOver(): Promise<void> {
    this.#lab.log.add("futago switchover");
    this.#lab.log.add(await this.#lab.boxes[this.#active()].switchOver());
  }

  async #drill(kill: boolean): Promise<void> {
    this.#lab.log.add(`futago drill${kill ? " --kill" : ""}`);
    this.#lab.log.add(drillSentence(await this.#lab.boxes[this.#active()].drill(kill)));
  }

  #active(): Box {
    const [active] = this.#lab.activeBoxes();
    if (active === undefined) throw new Error("no box is active now");
    return active;
  }
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
