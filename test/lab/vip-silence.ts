/** Asks a box that must not answer for the VIPs, from beside it and past ARP and ND. */
import type { Finding } from "./expectations.ts";
import type { Lab } from "./lab.ts";
import type { Box } from "./topology.ts";
import { ownAddress } from "./web-servers.ts";

const ASK_SECONDS = 1;
/** curl's exit code when the time is over and nothing came, not even a reset. */
const NOTHING_CAME = 28;

/**
 * Whether the web server on the box answers at the box's own addresses, and nothing comes from its Ethernet address
 * for a VIP. The gateway asks: its neighbour entry is fixed for the moment, so that no announcement can mend it.
 */
export async function silentForVip(lab: Lab, box: Box): Promise<Finding> {
  const findings: Finding[] = [];
  for (const vip of lab.scenario.vips) {
    const own = await ask(lab, ownAddress(box, vip));
    const past = await askPastNeighbours(lab, vip, lab.frontMac(box));
    const holds = own.exit === 0 && own.page.trim() === box && past.exit === NOTHING_CAME;
    findings.push({ holds, seen: `${vip} at its MAC: ${past.exit === NOTHING_CAME ? "nothing" : tell(past)}` });
    if (own.exit !== 0) findings.push({ holds: false, seen: `its own address: ${tell(own)}` });
  }
  return { holds: findings.every((finding) => finding.holds), seen: findings.map(({ seen }) => seen).join(", ") };
}

interface Answer {
  readonly exit: number;
  readonly page: string;
}

async function ask({ topology }: Lab, address: string): Promise<Answer> {
  const host = address.includes(":") ? `[${address}]` : address;
  const argv = ["curl", "--silent", "--globoff", "--noproxy", "*", "--max-time", String(ASK_SECONDS)];
  const { code, stdout } = await topology.gateway.tryRun([...argv, `http://${host}/`]);
  return { exit: code, page: stdout };
}

async function askPastNeighbours(lab: Lab, vip: string, mac: string): Promise<Answer> {
  const { gateway } = lab.topology;
  await gateway.ip(`neigh replace ${vip} lladdr ${mac} nud permanent dev eth0`);
  try {
    return await ask(lab, vip);
  } finally {
    await gateway.ip(`neigh del ${vip} dev eth0`);
  }
}

function tell({ exit, page }: Answer): string {
  return exit === 0 ? `a page of ${page.trim()}` : `curl ended with ${exit}`;
}
