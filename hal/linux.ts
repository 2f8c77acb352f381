/** The real machine, as the network namespace and the mounts of the calling process show it. */
import { openBoard } from "./board/board.ts";
import { openClock, openWallClock } from "./board/clock.ts";
import { openScheduling } from "./board/scheduling.ts";
import { openSysctl } from "./board/sysctl.ts";
import type { Hal } from "./contract/hal.ts";
import { openDialing } from "./dial/dialer.ts";
import { openNetwork } from "./netlink/network.ts";
import { requestBuilder } from "./netlink/request-builder.ts";
import { openNftables } from "./nftables/nftables.ts";
import { openFrames } from "./packet/frames.ts";
import { openIcmp } from "./packet/icmp.ts";
import { openBpf } from "./xdp/bpf.ts";

/** Throws HalError when the kernel gives no netlink socket. Keeps the process alive until it is closed. */
export function openHal(): Hal {
  const network = openNetwork();
  const nftables = openNftables();
  return {
    clock: openClock(),
    wallClock: openWallClock(),
    scheduling: openScheduling(),
    sysctl: openSysctl(),
    network,
    requests: requestBuilder,
    frames: openFrames(),
    icmp: openIcmp(),
    dialing: openDialing(),
    bpf: openBpf(),
    nftables,
    board: openBoard(),
    close: () => {
      nftables.close();
      network.close();
    },
  };
}
