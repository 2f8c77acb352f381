/** The forms that texts of the document take. Each says what it expects, for the message to whoever wrote another. */
import { parseIfname, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { parseDrillTimes } from "./drill-times.ts";
import { parsePrefix } from "./prefix.ts";
import { parseStatusRanges } from "./status-ranges.ts";

export interface TextFormat {
  readonly accepts: (text: string) => boolean;
  /** Completes "write …". */
  readonly expected: string;
}

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const hostnamePattern =
  /^(?=.{1,64}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const httpHostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/;
/** RFC 1035 §2.3.4: labels of 63 bytes, 253 in all; RFC 2181 §11 and SRV names allow the underscore. */
const dnsNamePattern =
  /^(?=.{1,254}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/;
/** Visible ASCII: white space and control characters could end the request line. */
const httpPathPattern = /^\/[\x21-\x7e]*$/;
const printablePattern = /^[\x21-\x7e]+$/;
/** Names that sysctl(8) takes for something else, and the loopback device. */
const reservedDevices: ReadonlySet<string> = new Set(["all", "default", "lo"]);
// oxlint-disable-next-line no-control-regex -- they are what is looked for.
const controlPattern = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

export const formats = {
  text: {
    accepts: (text) => text.isWellFormed() && !controlPattern.test(text),
    expected: "text without control characters",
  },
  name: {
    accepts: (text) => namePattern.test(text),
    expected: "a letter, then letters, digits, - and _, at most 63 in all",
  },
  ip: {
    accepts: (text) => parseIpAddress(text) !== undefined,
    expected: 'an IPv4 or IPv6 address without prefix length, such as "10.2.0.11"',
  },
  interfaceAddress: {
    accepts: (text) => parseInterfaceAddress(text) !== undefined,
    expected: 'an address with its prefix length, such as "10.1.0.2/24" or "fd00::2/64"',
  },
  destination: {
    accepts: (text) => text === "default" || parseInterfaceAddress(text) !== undefined,
    expected: '"default" or a subnet such as "10.9.0.0/16"',
  },
  prefix: {
    accepts: (text) => parsePrefix(text) !== undefined,
    expected: 'a subnet or an address, such as "198.51.100.0/24", "203.0.113.7" or "2001:db8::/32"',
  },
  nameOrIp: {
    accepts: (text) => namePattern.test(text) || parseIpAddress(text) !== undefined,
    expected: "a virtual address without prefix length, or the name of a virtual router",
  },
  drillTimes: {
    accepts: (text) => parseDrillTimes(text) !== undefined,
    expected: 'days and a time, such as "Sun 04:00", "Mon,Thu 23:30" or "daily 04:00"',
  },
  ifname: {
    accepts: (text) => printablePattern.test(text) && parseIfname(text) !== undefined && !reservedDevices.has(text),
    expected:
      'the name of a network device, such as "eth0": at most 15 characters, no "/" or ":", and not lo, all or default',
  },
  hostname: {
    accepts: (text) => hostnamePattern.test(text),
    expected: "letters, digits and hyphens, parts separated by dots, at most 64 characters",
  },
  timezone: { accepts: isTimezone, expected: 'a name of the time zone database, such as "Asia/Tokyo" or "UTC"' },
  httpPath: {
    accepts: (text) => httpPathPattern.test(text),
    expected: "a path that begins with a slash, in ASCII, with spaces as %20",
  },
  httpHost: {
    accepts: (text) => httpHostPattern.test(text),
    expected: 'a host, such as "www.example.test" or "10.2.0.11:8080"',
  },
  serverName: {
    accepts: (text) => hostnamePattern.test(text) && parseIpAddress(text) === undefined,
    expected: 'the name on the certificate, such as "www.example.test", without port',
  },
  dnsName: {
    accepts: (text) => dnsNamePattern.test(text),
    expected: 'a domain name, such as "www.example.test"',
  },
  bodyText: {
    accepts: (text) => text !== "" && text.isWellFormed(),
    expected: "a text that the answer holds, not an empty one",
  },
  statusRanges: {
    accepts: (text) => parseStatusRanges(text) !== undefined,
    expected: 'status codes and ranges between 100 and 599 with commas, such as "200-399,404"',
  },
} as const satisfies Record<string, TextFormat>;

function isTimezone(text: string): boolean {
  if (!/^[A-Za-z0-9_+/-]{1,64}$/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    // Intl throws a RangeError for a zone it does not know; there is no other way to ask.
    return false;
  }
}
