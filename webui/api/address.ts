/** Where the web UI is to listen, as `--web` says it. */

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** "[::]:8443", "0.0.0.0:443", ":8443" for all addresses of both families. */
export function parseAddress(text: string): ListenAddress {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  return { host: host === "" ? "::" : host, port: Number(port ?? Number.NaN) };
}
