/**
 * Clients of UDP services, each with a socket of its own, in one process of the client's namespace. Orders are lines of
 * JSON on standard input; of each answer a line `ID WORD SERVER PORT` goes out. What is not answered is said again.
 */
import { createSocket, type Socket } from "node:dgram";
import { createInterface } from "node:readline";

export interface UdpDial {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export type UdpOrder =
  | { readonly kind: "dial"; readonly dials: readonly UdpDial[] }
  | { readonly kind: "say"; readonly word: string };

const AGAIN_MILLIS = 250;
const TRIES = 40;

class Client {
  readonly #dial: UdpDial;
  readonly #socket: Socket;
  #again: NodeJS.Timeout | undefined;

  constructor(dial: UdpDial) {
    this.#dial = dial;
    this.#socket = createSocket(dial.host.includes(":") ? "udp6" : "udp4");
    this.#socket.on("error", () => {
      // An ICMP error: what was said is said again.
    });
  }

  say(word: string, triesLeft = TRIES): void {
    const { id, host, port } = this.#dial;
    clearTimeout(this.#again);
    this.#socket.removeAllListeners("message").on("message", (answer) => {
      const [server = "", seenPort = "", echoed] = answer.toString().split(" ");
      if (echoed !== word) return;
      clearTimeout(this.#again);
      process.stdout.write(`${id} ${word} ${server} ${seenPort}\n`);
    });
    this.#socket.send(word, port, host);
    if (triesLeft > 1) this.#again = setTimeout(() => this.say(word, triesLeft - 1), AGAIN_MILLIS);
  }
}

const clients: Client[] = [];
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line) as UdpOrder;
    if (order.kind === "dial") clients.push(...order.dials.map((dial) => new Client(dial)));
    else for (const client of clients) client.say(order.word);
  })
  .on("close", () => process.exit(0));
