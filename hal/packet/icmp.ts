/** Raw ICMP sockets of the calling thread's network namespace, raw(7): echo requests out, echo replies and errors in. */
import { refused } from "../addon/refused.ts";
import type { Icmp, IcmpError, IcmpReply, IcmpSocket } from "../contract/network.ts";
import { addressBytes, addressFromBytes, type Family } from "../units/address.ts";
import { instant } from "../units/time.ts";
import { calls } from "./calls.ts";
import { decodeEchoError, decodeEchoReply, encodeEchoRequest } from "./echo.ts";

/**
 * A socket hears every echo reply that reaches the box, those to other programs too: tell yours by the identifier.
 * What is no well-formed reply is left unheard, as the check or witness that waits for one must fail then.
 */
export function openIcmp(): Icmp {
  return { open };
}

function open(family: Family, onReply: (reply: IcmpReply) => void, onError?: (error: IcmpError) => void): IcmpSocket {
  const handle = refused(() =>
    calls.icmpOpen(family === "ipv6", onError !== undefined, (bytes, _code, fromBytes, at) => {
      const from = bytes === undefined ? undefined : addressFromBytes(fromBytes);
      if (bytes === undefined || from === undefined) return;
      const reply = decodeEchoReply(family, bytes);
      if (reply.ok) return onReply({ from, ...reply.value, at: instant(at) });
      const error = onError === undefined ? undefined : decodeEchoError(family, bytes);
      if (error?.ok === true) onError?.({ from, ...error.value, at: instant(at) });
    }),
  );
  return {
    sendEcho: (to, id, sequence, ifindex, hops) => {
      const message = encodeEchoRequest(family, id, sequence);
      refused(() => calls.icmpSend(handle, message, addressBytes(to), ifindex ?? 0, hops ?? 0));
    },
    close: () => calls.socketClose(handle),
  };
}
