/** One attempt of a DNS check: a question in one datagram, from a port of its own and with an id nobody can guess. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { family } from "@futago/hal/units/address.ts";
import { between } from "@futago/hal/units/time.ts";
import type { Outcome } from "../../../health/check.ts";
import { judgeDnsAnswer, questionType } from "../../../health/dns-answer.ts";
import { decodeAnswer, encodeQuestion } from "../../../health/dns-message.ts";
import { outcomeOf } from "./http-exchange.ts";
import { type OnOutcome, outcomeOfErrno, type RunningProbe } from "./probe.ts";
import type { Probe, Subject } from "./subjects.ts";

type DnsProbe = Extract<Probe, { kind: "dns" }>;

const IDS = 65_536;

/** The socket is connected, so that a port where nobody listens is heard of (ICMP), and other sources are not heard. */
export function probeDns(
  { address, port, source }: Subject,
  { query: name, expectAnswer }: DnsProbe,
  clock: Clock,
  onOutcome: OnOutcome,
): RunningProbe {
  const startedAt = clock.now();
  const question = { id: randomInt(IDS), name, type: questionType(expectAnswer) };
  const asked = encodeQuestion(question);
  const socket = createSocket(family(address) === "ipv6" ? "udp6" : "udp4");
  let over = false;
  const end = () => {
    if (!over) socket.close();
    over = true;
  };
  const conclude = (outcome: Outcome) => {
    if (over) return;
    end();
    onOutcome(outcome);
  };
  if (asked === undefined) {
    setImmediate(conclude, { kind: "failed", sentence: `${name} is no domain name` } satisfies Outcome);
    return { end, missing: () => "no answer" };
  }
  socket.on("error", (error: NodeJS.ErrnoException) => conclude(outcomeOfErrno(error.code ?? error.message)));
  socket.on("connect", () => socket.send(asked));
  socket.on("message", (bytes) => {
    const answer = decodeAnswer(bytes, asked, question);
    if (answer.ok) {
      conclude(outcomeOf(judgeDnsAnswer(answer.value, expectAnswer), between(startedAt, clock.now())));
    } else if (answer.reason === "malformed") {
      conclude({ kind: "failed", sentence: "the answer is malformed" });
    }
  });
  if (source === undefined) socket.connect(port, address);
  else socket.bind(0, source, () => over || socket.connect(port, address));
  return { end, missing: () => "no answer" };
}
