/** Complete netlink messages with sequence 0 and no acknowledgement, for pulse to send as they are. */
import type { RequestBuilder } from "../contract/network.ts";
import { encodeAddress } from "./codec/address.ts";
import { NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, RTM } from "./codec/constants.ts";
import { encodeMessage } from "./codec/message.ts";

export const requestBuilder: RequestBuilder = {
  addAddress: (ifindex, address, options) =>
    encodeMessage({
      type: RTM.RTM_NEWADDR,
      flags: NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE,
      sequence: 0,
      payload: encodeAddress(ifindex, address, options),
    }),
  deleteAddress: (ifindex, address) =>
    encodeMessage({
      type: RTM.RTM_DELADDR,
      flags: NLM_F_REQUEST,
      sequence: 0,
      payload: encodeAddress(ifindex, address),
    }),
};
