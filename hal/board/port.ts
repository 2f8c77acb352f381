/** Network devices by where they are on the machine. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import type { Ifname } from "../units/address.ts";

/** The network device of a bus's device such as "0000:01:00.0"; undefined while there is none. */
export function portAt(sysRoot: string, bus: string): Ifname | undefined {
  const directory = `${sysRoot}/class/net`;
  if (!existsSync(directory)) return undefined;
  const found = readdirSync(directory).find((name) => {
    const device = `${directory}/${name}/device`;
    return existsSync(device) && basename(realpathSync(device)) === bus;
  });
  return found as Ifname | undefined;
}
