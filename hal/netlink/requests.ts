/** A netlink socket that asks, in the network namespace of the calling thread. */
import { refused } from "../addon/refused.ts";
import { calls } from "./calls.ts";
import { RequestChannel } from "./request-channel.ts";

/** Holds the acknowledgements of a whole window, and dumps, many times over. */
const REQUEST_BUFFER_BYTES = 1 << 20;

export interface Requests {
  readonly channel: RequestChannel;
  close(): void;
}

/** Of NETLINK_ROUTE unless told otherwise. Throws HalError. Keeps the process alive until it is closed. */
export function openRequests(protocol?: number): Requests {
  const handle = refused(() =>
    calls.netlinkOpen(
      REQUEST_BUFFER_BYTES,
      (bytes, code) => {
        if (bytes !== undefined) channel.receive(bytes);
        else channel.fail(code ?? "EIO", "the kernel's answer was lost");
      },
      protocol,
    ),
  );
  const channel = new RequestChannel((datagram) => refused(() => calls.netlinkSend(handle, datagram)));
  return {
    channel,
    close: () => {
      channel.close();
      calls.socketClose(handle);
    },
  };
}
