/** How large the balancer's tables are: a function of the configuration, so that a core that starts finds its own. Pure. */
import { balancerSizes, ESTABLISHED_MAX, SERVICES_MAX } from "@futago/hal/xdp/layout.ts";
import type { Resolved } from "../../../config/resolved.ts";

export interface TableSizes {
  readonly services: number;
  readonly flows: number;
}

export const DEFAULT_SIZES: TableSizes = { services: SERVICES_MAX, flows: ESTABLISHED_MAX };

/** Services in powers of two: each change of the size makes tables anew. */
export function tableSizes(config: Resolved | undefined): TableSizes {
  if (config === undefined) return DEFAULT_SIZES;
  const services = config.services.reduce((sum, service) => sum + service.addresses.length, 0);
  let size = SERVICES_MAX;
  while (size < services) size *= 2;
  return { services: size, flows: config.balancer.flows };
}

export function sameSizes(a: TableSizes, b: TableSizes): boolean {
  return a.services === b.services && a.flows === b.flows;
}

export function mapSizes({ services, flows }: TableSizes): Readonly<Record<string, number>> {
  return balancerSizes(services, flows);
}
