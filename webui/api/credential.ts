/**
 * Who asks: a token, or a session of a browser. A session is a cookie and a proof that the page keeps apart from it:
 * a cookie goes to every port of a host, and to whoever makes a browser ask; the proof goes nowhere by itself.
 */
import type { Credential } from "@futago/firmware/runtime/control-access.ts";
import type { FastifyRequest } from "fastify";
import type { Asker } from "../client/control.ts";
import { headerOf } from "./exchange.ts";

const COOKIE = "__Host-futago";
const SECRET_LENGTH_MAX = 512;
const SECRET = /^[A-Za-z0-9._~+/=-]+$/;

export function askerOf(request: FastifyRequest): Asker {
  const credential = credentialOf(request);
  return { ...(credential === undefined ? {} : { credential }), from: addressOf(request.socket.remoteAddress) };
}

function credentialOf(request: FastifyRequest): Credential | undefined {
  const authorization = headerOf(request, "authorization");
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    return isSecret(token) ? { kind: "token", token } : undefined;
  }
  const session = cookieOf(headerOf(request, "cookie") ?? "");
  const proof = headerOf(request, "futago-proof");
  return isSecret(session) && isSecret(proof) ? { kind: "session", session, proof } : undefined;
}

function isSecret(text: string | undefined): text is string {
  return text !== undefined && text.length <= SECRET_LENGTH_MAX && SECRET.test(text);
}

/** Undefined too where there are two: somebody put one of them there. */
function cookieOf(header: string): string | undefined {
  const values = header.split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return pair.slice(0, at).trim() === COOKIE ? [pair.slice(at + 1).trim()] : [];
  });
  return values.length === 1 ? values[0] : undefined;
}

/** An address without the clothes that IPv4 wears on a socket of both families, and without its zone. */
export function addressOf(remote: string | undefined): string {
  return (remote ?? "").replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");
}

/** Whoever has one IPv6 address has a /64 of them. */
export function sourceOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...right].slice(0, 4).join(":");
}

export function sessionCookie(session: string): string {
  return `${COOKIE}=${session}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

export function noCookie(): string {
  return `${sessionCookie("")}; Max-Age=0`;
}
