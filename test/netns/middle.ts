/**
 * A man in the middle of a ceremony, who has overheard the code and holds the only cable between the two boxes:
 *   middle.ts CODE TOWARDS_INVITER TOWARDS_JOINER
 * He joins the one and invites the other, by the same machine as an honest box, and says yes to everything.
 */
import { instant } from "@futago/hal/units/time.ts";
import { Lines, PAIRING_PORT, Search } from "@futago/firmware/runtime/core/pairing/cable.ts";
import { makeIdentity } from "@futago/firmware/runtime/core/pairing/identity.ts";
import { primitives, stretch, talkSecrets } from "@futago/firmware/runtime/core/pairing/primitives.ts";
import {
  type CeremonyInput,
  type CeremonyState,
  initialCeremony,
  isSeeking,
  shown,
  stepCeremony,
} from "@futago/firmware/pair/ceremony/ceremony.ts";
import { parseCode } from "@futago/firmware/pair/ceremony/code.ts";
import { encodeCeremonyMessage } from "@futago/firmware/pair/ceremony/message.ts";

const [text = "", towardsInviter = "", towardsJoiner = ""] = process.argv.slice(2);
const code = parseCode(text);
if (!code.ok) throw new Error("no code");
const { certificate } = await makeIdentity();
const common = { code: code.value, release: "0.0.0", certificate } as const;
const now = () => instant(Number(process.hrtime.bigint() / 1_000n));
const onFault = (error: Error) => {
  throw error;
};

/** One of his two faces. */
class Face {
  #state: CeremonyState = initialCeremony;
  #shown = "";
  readonly #name: string;
  readonly lines = new Lines({
    onLine: (connection, line) => this.input({ kind: "line", connection, line, clock: Date.now() }),
    onClosed: (connection) => this.input({ kind: "closed", connection }),
  });

  constructor(name: string) {
    this.#name = name;
  }

  get seeks(): boolean {
    return isSeeking(this.#state);
  }

  connected(connection: number): void {
    this.input({ kind: "connected", connection, secrets: talkSecrets() });
  }

  input(input: CeremonyInput): void {
    const { state, actions } = stepCeremony(primitives, this.#state, input, now());
    this.#state = state;
    for (const action of actions) {
      if (action.kind === "send") this.lines.send(action.connection, encodeCeremonyMessage(action.message));
      if (action.kind === "dial")
        this.lines.dial(action.connection, action.place, () => this.connected(action.connection));
      if (action.kind === "close") this.lines.close(action.connection);
      if (action.kind === "stretch") {
        const { connection } = action;
        void stretch(action.text, action.salt).then((key) => this.input({ kind: "stretched", connection, key }));
      }
    }
    const { digits } = shown(this.#state, now());
    if (digits === null || digits === this.#shown) return;
    this.#shown = digits;
    process.stdout.write(`${JSON.stringify({ face: this.#name, digits })}\n`);
    this.input({ kind: "answered", yes: true });
  }
}

const joiner = new Face("joiner");
joiner.input({ kind: "join", party: { ...common, role: "joiner", letter: "a", seed: "" } });
const seeking = new Search(0, {
  onFault,
  onMessage: (message, { address: place }) => {
    if (message.kind !== "here" || !joiner.seeks) return;
    joiner.input({ kind: "found", tag: message.tag, place, connection: joiner.lines.nextNumber() });
  },
});
seeking.setDevices([towardsInviter]);

const inviter = new Face("inviter");
inviter.input({ kind: "invite", party: { ...common, role: "inviter", letter: "a", seed: "00".repeat(16) } });
inviter.lines.listen((connection) => inviter.connected(connection), onFault);
const heard = new Search(PAIRING_PORT, {
  onFault,
  onMessage: (message, from) => {
    if (message.kind === "seek") heard.answer(common.code.tag, from);
  },
});
heard.setDevices([towardsJoiner]);
process.stdin.on("end", () => process.exit(0)).resume();
