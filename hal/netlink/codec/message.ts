/**
 * Netlink messages: the common header, and the acknowledgement with the kernel's own words.
 *
 *    0               1               2               3
 *   +---------------------------------------------------------------+
 *   |                       length with header                      |
 *   +-------------------------------+-------------------------------+
 *   |             type              |             flags             |
 *   +-------------------------------+-------------------------------+
 *   |                           sequence                            |
 *   +---------------------------------------------------------------+
 *   |                             port                              |
 *   +---------------------------------------------------------------+
 * @see netlink(7), linux/netlink.h
 */
import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { align, readAttributes, readU16, readU32, valueText, writeU16, writeU32 } from "./attributes.ts";
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_HEADER_BYTES, NLMSGERR_ATTR_MSG } from "./constants.ts";

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** The messages of one or more datagrams laid end to end, up to the first that does not fit. */
export function splitMessages(bytes: Uint8Array): readonly Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at + NLMSG_HEADER_BYTES <= bytes.length) {
    const length = readU32(bytes, at);
    if (length < NLMSG_HEADER_BYTES || at + length > bytes.length) break;
    messages.push({
      type: readU16(bytes, at + 4),
      flags: readU16(bytes, at + 6),
      sequence: readU32(bytes, at + 8),
      payload: bytes.subarray(at + NLMSG_HEADER_BYTES, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** A message with port 0: from us, to the kernel. */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = new Uint8Array(align(NLMSG_HEADER_BYTES + message.payload.length));
  writeU32(bytes, 0, NLMSG_HEADER_BYTES + message.payload.length);
  writeU16(bytes, 4, message.type);
  writeU16(bytes, 6, message.flags);
  writeU32(bytes, 8, message.sequence);
  bytes.set(message.payload, NLMSG_HEADER_BYTES);
  return bytes;
}

export interface Acknowledgement {
  /** The errno's name; undefined when the kernel did what it was asked. */
  readonly code: string | undefined;
  /** The kernel's own sentence, such as "Device does not exist", else the errno's meaning; on success a warning. */
  readonly text: string | undefined;
}

/** Reads NLMSG_ERROR, and the end of a dump, whose payload starts with an errno too. */
export function decodeAcknowledgement(message: Message, endOfDump = false): Acknowledgement {
  const error = -(readU32(message.payload, 0) | 0);
  const text = kernelText(message, endOfDump);
  if (error === 0) return { code: undefined, text };
  return { code: errnoName(error), text: text ?? errnoMeaning(error) };
}

/** Some refusals come without a sentence. */
function kernelText({ payload, flags }: Message, endOfDump: boolean): string | undefined {
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  // NLMSG_ERROR quotes the request it answers: its header alone when capped, the whole of it otherwise.
  const quoted = endOfDump ? 0 : (flags & NLM_F_CAPPED) !== 0 ? NLMSG_HEADER_BYTES : align(readU32(payload, 4));
  return valueText(readAttributes(payload, 4 + quoted).get(NLMSGERR_ATTR_MSG));
}

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    // Of two names for one number these are the ones nobody looks for.
    .filter(([name]) => name !== "EWOULDBLOCK" && name !== "EOPNOTSUPP")
    .map(([name, number]) => [number, name]),
);

/** The name of an errno, such as "EPERM" for 1; "E524" for one that has no name outside the kernel. */
export function errnoName(errno: number): string {
  // ENOTSUPP (524) is the kernel's internal twin of ENOTSUP and leaks out of some drivers.
  return errno === 524 ? "ENOTSUP" : (errnoNames.get(errno) ?? `E${errno}`);
}

/** "no such device" for 19. */
function errnoMeaning(errno: number): string {
  return errno > 0 ? (getSystemErrorMessage(-errno) ?? "refused") : "refused";
}
