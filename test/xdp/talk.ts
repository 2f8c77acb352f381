/** What the tests of the balancer say to the box of `box.ts`, and how they look at its answers. */
import type { BalancerReason } from "@futago/hal/xdp/layout.ts";
import { BACKENDS, backend, CLIENT, GROUP, service, type TestBox, UNKNOWN_BACKEND, VIP } from "./box.ts";
import { ACK, SYN, type TcpFields, tcpFrame } from "./packet.ts";

export const [S1, S2, S3] = BACKENDS;
export const BOTH = 3;
export const FORWARD = 2;

/** Port 80 has one backend, 81 three, 82 none, 83 one without a neighbour. The lease holds and no flow is known. */
export function startAnew(box: TestBox): void {
  box.groups.set(GROUP, BOTH);
  box.forget();
  box.serve([
    service(80, [backend(S1, 8080)]),
    service(81, [backend(S1, 8081), backend(S2, 8081), backend(S3, 8081)]),
    service(82, []),
    service(83, [backend(UNKNOWN_BACKEND, 8083)]),
  ]);
}

export function toVip(flags: number, more: Partial<TcpFields> = {}): Uint8Array {
  return tcpFrame({ source: CLIENT, destination: VIP, sourcePort: 40_000, destinationPort: 80, flags, ...more });
}

/** From the backend of port 80. */
export function reply(flags: number, more: Partial<TcpFields> = {}): Uint8Array {
  return tcpFrame({ source: S1, destination: CLIENT, sourcePort: 8080, destinationPort: 40_000, flags, ...more });
}

/** What the balancer counted while something was done. */
export function counted(box: TestBox, act: () => void): Partial<Record<BalancerReason, number>> {
  const before = box.tables.counters();
  act();
  const after = Object.entries(box.tables.counters()) as [BalancerReason, number][];
  return Object.fromEntries(after.filter(([reason, n]) => n !== before[reason]).map(([r, n]) => [r, n - before[r]]));
}

/** The verdict on a frame, and what was counted meanwhile. */
export function outcome(
  box: TestBox,
  run: () => { verdict: number },
): readonly [number, Partial<Record<BalancerReason, number>>] {
  let verdict = -1;
  const reasons = counted(box, () => {
    verdict = run().verdict;
  });
  return [verdict, reasons];
}

/** SYN, SYN-ACK with number 2000, ACK 2001. */
export function handshake(box: TestBox): void {
  box.fromClient(toVip(SYN));
  box.fromBackend(reply(SYN | ACK, { sequence: 2000 }));
  box.fromClient(toVip(ACK, { acknowledgement: 2001 }));
}
