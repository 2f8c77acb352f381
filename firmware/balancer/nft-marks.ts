/**
 * The mark that a tracked connection carries says to which backend of which service it goes: so it can be counted, and
 * forgotten when the backend dies. The same after a restart, for the connections are still there.
 */
import { hashText } from "./hash.ts";
import { allBackends, type BalancedBackend, type BalancedService, serviceKey } from "./service.ts";

/** The upper byte of all marks that are ours. */
export const NFT_MARK = 0x46000000;
export const NFT_MARK_MASK = 0xff000000;
const NUMBERS = 0x1000000;

export interface MarkedBackend {
  readonly mark: number;
  readonly service: BalancedService;
  readonly backend: BalancedBackend;
}

/** In the order of the services and their backends. Of two that hash alike the later one by name takes the next free mark. */
export function markBackends(services: readonly BalancedService[]): readonly MarkedBackend[] {
  const all = services.flatMap((service) =>
    allBackends(service).map((backend) => {
      const key = `${serviceKey(service)} ${backend.address}:${backend.port}`;
      return { key, service, backend };
    }),
  );
  const numbers = new Map<string, number>();
  const taken = new Set<number>();
  for (const key of all.map((one) => one.key).sort()) {
    let number = hashText(key) % NUMBERS;
    while (taken.has(number)) number = (number + 1) % NUMBERS;
    taken.add(number);
    numbers.set(key, number);
  }
  return all.map(({ key, service, backend }) => ({ mark: NFT_MARK + (numbers.get(key) ?? 0), service, backend }));
}
