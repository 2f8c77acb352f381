/**
 * Invites with a code of the test's, as a box would, but with another release and another clock:
 *   stand-in.ts CODE DEVICE RELEASE MILLIS_AHEAD
 * or, with PROTOCOL, as a box that speaks another protocol and says nothing else that anybody could read:
 *   stand-in.ts CODE DEVICE RELEASE 0 PROTOCOL
 */
import { readFileSync } from "node:fs";
import { parseCode } from "@futago/firmware/pair/ceremony/code.ts";
import { Lines, PAIRING_PORT, Search } from "@futago/firmware/runtime/core/pairing/cable.ts";
import { makeIdentity } from "@futago/firmware/runtime/core/pairing/identity.ts";
import { Face } from "./ceremony-face.ts";

const [text = "", device = "", release = "", ahead = "0", protocol] = process.argv.slice(2);
const code = parseCode(text);
if (!code.ok) throw new Error("no code");
// The box that joins sets the clock of the whole machine.
if (Number(ahead) !== 0 && !readFileSync("/proc/cmdline", "utf8").includes("futago.guest"))
  throw new Error("another clock is for a guest only");

if (protocol === undefined) {
  const { certificate } = await makeIdentity();
  const party = { code: code.value, release, certificate, letter: "a", seed: "5e".repeat(16) } as const;
  new Face("inviter", () => Date.now() + Number(ahead)).invite(party, device);
} else {
  inviteForeign(code.value.tag);
}
process.stdin.on("end", () => process.exit(0)).resume();

function inviteForeign(tag: string): void {
  const onFault = (error: Error) => {
    throw error;
  };
  const lines = new Lines({
    onLine: (_, line) => process.stdout.write(`${line}\n`),
    onClosed: () => undefined,
  });
  const offer = JSON.stringify({ kind: "offer", protocol: Number(protocol), release, pake: "00" });
  lines.listen((connection) => lines.send(connection, offer), onFault);
  const heard = new Search(PAIRING_PORT, {
    onFault,
    onMessage: (message, from) => {
      if (message.kind === "seek") heard.answer(tag, from);
    },
  });
  heard.setDevices([device]);
}
