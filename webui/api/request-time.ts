/**
 * How long a request may be in coming. Each has the same time in all; a body that its route lets be slow, once it is known who
 * sends it, may take as long as it keeps coming.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

const LOOK_MILLIS = 5_000;
const LATE = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/** From now on: its headers are there. */
export function boundTime(request: IncomingMessage, response: ServerResponse, millis: number): void {
  const timer = setTimeout(() => tooLate(request, response), millis);
  timers.set(request, timer);
  for (const event of ["end", "close"]) request.once(event, () => clearTimeout(timer));
}

/** In place of that: it may take any time in which no pause is longer than `millis`. */
export function boundPauses(request: IncomingMessage, response: ServerResponse, millis: number): void {
  clearTimeout(timers.get(request));
  let [seen, at] = [request.socket.bytesRead, performance.now()];
  const looking = setInterval(
    () => {
      const { bytesRead } = request.socket;
      if (bytesRead !== seen) [seen, at] = [bytesRead, performance.now()];
      else if (performance.now() - at >= millis) tooLate(request, response);
    },
    Math.min(LOOK_MILLIS, millis),
  );
  for (const event of ["end", "close"]) request.once(event, () => clearInterval(looking));
}

function tooLate({ socket }: IncomingMessage, response: ServerResponse): void {
  if (!response.headersSent && socket.writable) socket.end(LATE);
  socket.destroySoon();
}
