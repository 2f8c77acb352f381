/** Servers that answer every datagram with their host's name, the asker's port and what was said. */
import { createSocket, type Socket } from "node:dgram";
import { FAMILIES, MODES, type ServerHost } from "./survival-hosts.ts";

export class UdpServers {
  readonly #sockets: readonly Socket[];

  constructor(hosts: readonly ServerHost[]) {
    this.#sockets = hosts.flatMap((host) =>
      Object.values(FAMILIES).flatMap(({ vip, lan }) =>
        Object.values(MODES).flatMap(({ kind, backendPort, firstHost }) => {
          if (kind !== host.kind) return [];
          // Its answers bear the address that was asked: in `direct` the virtual one.
          const address = kind === "d" ? vip : lan(firstHost + host.ordinal - 1);
          return [serve(host, address, backendPort)];
        }),
      ),
    );
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

function serve(host: ServerHost, address: string, port: number): Socket {
  const type = address.includes(":") ? "udp6" : "udp4";
  // Looked up at once: a moment later this thread is in another namespace.
  const lookup = (name: string, _: unknown, found: (error: null, address: string, family: number) => void) =>
    found(null, name, type === "udp6" ? 6 : 4);
  const socket = createSocket({ type, lookup });
  socket.on("error", () => {
    // An answer to a made-up sender came back as an ICMP error.
  });
  socket.on("message", (said, { address: from, port: fromPort }) =>
    socket.send(`${host.name} ${fromPort} ${said.toString()}`, fromPort, from),
  );
  host.namespace.inside(() => socket.bind(port, address));
  return socket;
}
