/**
 * Answers each datagram with its own name and what came, from inside its host's namespace.
 *
 *   node echo-server.ts NAME ADDRESS PORT
 */
import { createSocket } from "node:dgram";

const [name, address, port] = process.argv.slice(2);
const socket = createSocket("udp4");
socket.on("message", (data, from) => socket.send(`${name} ${data.toString("latin1")}`, from.port, from.address));
socket.bind(Number(port), address);
