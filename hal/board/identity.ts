/** What firmware or device tree say that the machine is. */
import { existsSync, readFileSync } from "node:fs";
import type { BoardIdentity } from "../contract/machine.ts";
import { readAttribute } from "./attribute.ts";

/** Those of /sys/class/dmi/id that name a machine; serial numbers are nobody's business. */
const DMI = ["sys_vendor", "product_name", "product_version", "board_vendor", "board_name"] as const;

export function readIdentity(sysRoot: string): BoardIdentity {
  const dmi: Record<string, string> = {};
  for (const name of DMI) {
    const path = `${sysRoot}/class/dmi/id/${name}`;
    if (existsSync(path)) dmi[name] = readAttribute(path).trim();
  }
  const compatible = `${sysRoot}/firmware/devicetree/base/compatible`;
  const words = existsSync(compatible) ? readFileSync(compatible, "latin1").split("\0") : [];
  return { dmi, compatible: words.filter((word) => word !== "") };
}
