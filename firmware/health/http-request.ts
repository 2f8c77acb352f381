import type { IpAddress } from "@futago/hal/units/address.ts";

/**
 * The request of an HTTP check, ready to be sent. `host` is the Host header; left out, it is the address, with the
 * port unless that is 80.
 *
 * @see RFC 9110 §7.2, RFC 9112 §3
 */
export function httpRequest(path: string, host: string | undefined, address: IpAddress, port: number): string {
  const literal = address.includes(":") ? `[${address}]` : address;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host ?? (port === 80 ? literal : `${literal}:${port}`)}`,
    "User-Agent: futago-check",
    "Accept: */*",
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
