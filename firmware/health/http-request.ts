import type { IpAddress } from "@futago/hal/units/address.ts";

export interface RequestTarget {
  readonly scheme: "http" | "https";
  readonly address: IpAddress;
  readonly port: number;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/**
 * The request of an HTTP check, ready to be sent. `host` is the Host header; left out, it is the address, with the
 * port unless that is the scheme's own. The body is asked for as it is, because a check searches it.
 *
 * @see RFC 9110 §7.2, §12.5.3, RFC 9112 §3
 */
export function httpRequest(path: string, host: string | undefined, { scheme, address, port }: RequestTarget): string {
  const literal = address.includes(":") ? `[${address}]` : address;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host ?? (port === DEFAULT_PORTS[scheme] ? literal : `${literal}:${port}`)}`,
    "User-Agent: futago-check",
    "Accept: */*",
    "Accept-Encoding: identity",
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
