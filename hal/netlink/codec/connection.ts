/**
 * TCP connections by sock_diag: those with one local address, each named so exactly that no other can be meant.
 *
 *    0               1               2               3
 *   +---------------+---------------+---------------+---------------+
 *   |    family     |   protocol    |  extensions   |       0       |
 *   +---------------+---------------+---------------+---------------+
 *   |                   states wanted, a bit each                   |
 *   +---------------------------------------------------------------+
 *   |  inet_diag_sockid: ports, addresses, interface, cookie (48)   |
 *   +---------------------------------------------------------------+
 * @see sock_diag(7), linux/inet_diag.h
 */
import { addressBytes, type Family, family, type IpAddress } from "../../units/address.ts";
import { concatBytes } from "../../units/bytes.ts";
import { familyNumber } from "./address.ts";
import { attribute, writeU16, writeU32 } from "./attributes.ts";
import { AF_INET, AF_INET6 } from "./constants.ts";

const IPPROTO_TCP = 6;
const REQUEST_BYTES = 56;
const SOCKID_BYTES = 48;
/** Where struct inet_diag_sockid stands: after four bytes in an answer, after eight in a request. */
const SOCKID_IN_ANSWER = 4;
const SOCKID_IN_REQUEST = 8;
/** TCP_TIME_WAIT, TCP_CLOSE and TCP_LISTEN of linux/tcp_states.h: no connection, or one that is over. */
const NO_CONNECTION = (1 << 6) | (1 << 7) | (1 << 10);
const STATES_WANTED = 0x1fff & ~NO_CONNECTION & ~1;

const INET_DIAG_REQ_BYTECODE = 1;
const INET_DIAG_BC_S_COND = 7;
const OPERATION_BYTES = 4;
const CONDITION_BYTES = 8;
const ANY_PORT = 0xffff_ffff;

/** Names one connection to the kernel. */
export interface Connection {
  readonly family: number;
  readonly id: Uint8Array;
}

/** Connections over IPv4 also belong to sockets of AF_INET6, which hold the address mapped into IPv6. */
export function socketFamilies(address: IpAddress): readonly Family[] {
  return family(address) === "ipv4" ? ["ipv4", "ipv6"] : ["ipv6"];
}

/** For SOCK_DIAG_BY_FAMILY: all connections of sockets of one family whose local address this is. */
export function encodeConnectionFilter(sockets: Family, local: IpAddress): Uint8Array {
  const request = new Uint8Array(REQUEST_BYTES);
  request[0] = familyNumber(sockets);
  request[1] = IPPROTO_TCP;
  writeU32(request, 4, STATES_WANTED);
  return concatBytes([request, attribute(INET_DIAG_REQ_BYTECODE, localAddressIs(local))]);
}

/** A program of one operation: go on behind it, which is the end and means yes, or four bytes further, which means no. */
function localAddressIs(local: IpAddress): Uint8Array {
  const bytes = addressBytes(local);
  const operation = new Uint8Array(OPERATION_BYTES + CONDITION_BYTES);
  const end = operation.length + bytes.length;
  operation[0] = INET_DIAG_BC_S_COND;
  operation[1] = end;
  writeU16(operation, 2, end + OPERATION_BYTES);
  operation[OPERATION_BYTES] = familyNumber(family(local));
  operation[OPERATION_BYTES + 1] = 8 * bytes.length;
  writeU32(operation, OPERATION_BYTES + 4, ANY_PORT);
  return concatBytes([operation, bytes]);
}

/** The connection that an answer to SOCK_DIAG_BY_FAMILY describes. */
export function decodeConnection(payload: Uint8Array): Connection | undefined {
  const [number] = payload;
  if (payload.length < SOCKID_IN_ANSWER + SOCKID_BYTES) return undefined;
  if (number !== AF_INET && number !== AF_INET6) return undefined;
  return { family: number, id: payload.slice(SOCKID_IN_ANSWER, SOCKID_IN_ANSWER + SOCKID_BYTES) };
}

/** For SOCK_DESTROY. */
export function encodeConnection(connection: Connection): Uint8Array {
  const request = new Uint8Array(REQUEST_BYTES);
  request[0] = connection.family;
  request[1] = IPPROTO_TCP;
  writeU32(request, 4, STATES_WANTED);
  request.set(connection.id, SOCKID_IN_REQUEST);
  return request;
}
