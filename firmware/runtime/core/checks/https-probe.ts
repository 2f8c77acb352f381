/**
 * One attempt of an HTTPS check: connection, TLS handshake, certificate, request, answer. The handshake is whole each
 * time, because a resumed one would show no certificate. Whoever starts it ends it in time.
 */
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { between } from "@futago/hal/units/time.ts";
import { certificateEndSentence, certificateRefusal } from "../../../health/certificate.ts";
import type { Outcome } from "../../../health/check.ts";
import { HttpExchange, outcomeOf, questionOf } from "./http-exchange.ts";
import { type OnOutcome, outcomeOfErrno, type RunningProbe } from "./probe.ts";
import type { Probe, Subject } from "./subjects.ts";
import type { TrustedAuthorities } from "./trusted-authorities.ts";

type HttpsProbe = Extract<Probe, { kind: "https" }>;

export interface Trusting {
  readonly clock: Clock;
  readonly authorities: TrustedAuthorities;
  /** Unix milliseconds, which certificates are dated in. */
  readonly wallMillis: () => number;
}

export function probeHttps(
  subject: Subject,
  probe: HttpsProbe,
  { clock, authorities, wallMillis }: Trusting,
  onOutcome: OnOutcome,
): RunningProbe {
  const { address, port, source } = subject;
  const secureContext = authorities.context();
  if (secureContext === undefined) {
    const sentence = "the box cannot read its list of trusted authorities";
    const later = setImmediate(onOutcome, { kind: "notAsked", sentence } satisfies Outcome);
    return { end: () => clearImmediate(later), missing: () => "no connection" };
  }
  const startedAt = clock.now();
  const question = questionOf(subject, probe);
  const exchange = new HttpExchange(question);
  let missing = () => "no connection";
  let certificateEndsAt: number | undefined;
  let isSecure = false;
  let over = false;
  // What is trusted is judged here, so that a certificate that is refused is still read.
  const tls = connect({
    host: address,
    port,
    rejectUnauthorized: false,
    secureContext,
    ALPNProtocols: ["http/1.1"],
    ...(source === undefined ? {} : { localAddress: source }),
    ...(probe.sni === undefined ? {} : { servername: probe.sni }),
  });
  const end = () => {
    over = true;
    tls.destroy();
  };
  const conclude = (outcome: Outcome) => {
    if (over) return;
    end();
    onOutcome(withCertificate(outcome, certificateEndsAt, wallMillis()));
  };
  const roundTrip = () => between(startedAt, clock.now());
  tls.setNoDelay(true);
  tls.on("connect", () => (missing = () => "connected, but no TLS handshake"));
  tls.on("error", (error: NodeJS.ErrnoException) => conclude(outcomeOfError(error)));
  tls.on("secureConnect", () => {
    isSecure = true;
    missing = () => exchange.missing();
    certificateEndsAt = endOf(tls);
    const refusal = probe.verify ? refusalOf(tls, probe.sni ?? address) : undefined;
    if (refusal === undefined) tls.write(question.request);
    else conclude({ kind: "failed", sentence: refusal });
  });
  tls.on("data", (bytes: Buffer) => {
    const judged = over ? undefined : exchange.read(bytes);
    if (judged !== undefined) conclude(outcomeOf(judged, roundTrip()));
  });
  tls.on("end", () => {
    // Before the handshake is done, "error" follows, which knows better.
    if (isSecure) conclude(outcomeOf(exchange.end(), roundTrip()));
  });
  return { end, missing: () => missing() };
}

function endOf(tls: TLSSocket): number | undefined {
  const end = Date.parse(tls.getPeerX509Certificate()?.validTo ?? "");
  return Number.isNaN(end) ? undefined : end;
}

/** Why the certificate does not count; undefined when it does. */
function refusalOf(tls: TLSSocket, name: string): string | undefined {
  if (tls.authorized) return undefined;
  // The type says Error; it is the error's code where there is one.
  const error: unknown = tls.authorizationError;
  const code = typeof error === "string" ? error : error instanceof Error ? error.message : "";
  return certificateRefusal(code, name);
}

/** A certificate that has ended, or soon does, is worth a word whatever came of the check. */
function withCertificate(outcome: Outcome, certificateEndsAt: number | undefined, now: number): Outcome {
  if (certificateEndsAt === undefined || (outcome.kind !== "good" && outcome.kind !== "failed")) return outcome;
  const end = certificateEndSentence(certificateEndsAt, now);
  if (end === undefined) return { ...outcome, certificateEndsAt };
  const refused = outcome.kind === "failed" && outcome.sentence.startsWith("certificate");
  const sentence = refused && certificateEndsAt <= now ? end : `${outcome.sentence}; ${end}`;
  return { ...outcome, sentence, certificateEndsAt };
}

function outcomeOfError({ code, message }: NodeJS.ErrnoException): Outcome {
  if (code === "ECONNRESET" && message.includes("TLS")) {
    return { kind: "failed", sentence: "connected, but the TLS handshake was cut off" };
  }
  const isTls = code === "EPROTO" || code?.startsWith("ERR_SSL_") === true || code?.startsWith("ERR_TLS_") === true;
  if (!isTls) return outcomeOfErrno(code ?? message);
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return { kind: "failed", sentence: "the answer is not TLS" };
  }
  // OpenSSL puts "sslv3", "tlsv1" and the like before alerts, whatever the version is that is spoken.
  const words = (code ?? "")
    .replace(/^ERR_(SSL|TLS)_((SSL\/TLS|SSLV3|TLSV1|TLSV13)_)?(ALERT_)?/, "")
    .toLowerCase()
    .replaceAll("_", " ");
  return { kind: "failed", sentence: `TLS refused: ${words}` };
}
