/**
 * Holds as many connections to a box's web port as it can get, and never ends a request on any of them:
 * `slow-client.ts HOST PORT COUNT`. Says "holding" once it has had so many.
 */
import { connect } from "node:tls";

const [host = "", port = "", count = ""] = process.argv.slice(2);
let opened = 0;

function hold(): void {
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  const drip = setInterval(() => socket.write("x"), 1_000);
  socket.on("secureConnect", () => {
    socket.write("GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
    opened += 1;
    if (opened === Number(count)) process.stdout.write("holding\n");
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    clearInterval(drip);
    setTimeout(hold, 50);
  });
}

for (let number = 0; number < Number(count); number++) hold();
