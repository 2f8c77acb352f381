/** Checks of health checks: times that fit, and a target that can be known. */
import { parseIpAddress } from "@futago/hal/units/address.ts";
import type { Cross } from "./check-context.ts";
import { checkIntervalMsDefault } from "./defaults.ts";
import { notForBackends } from "./host-address.ts";
import type { Path } from "./path.ts";
import { serverNameOf } from "./resolve.ts";
import { say } from "./say.ts";
import type { CheckDocument } from "./schema.ts";

export function checkCheck(cross: Cross, check: CheckDocument, where: "pool" | "track", path: Path): void {
  if (check.type === "none") {
    if (where === "track")
      cross.tell(
        "wrongWord",
        [...path, "type"],
        'is "none", which never fails',
        "write another type, or remove the entry",
      );
    return;
  }
  const interval = check.intervalMs ?? checkIntervalMsDefault;
  if (check.timeoutMs !== undefined && check.timeoutMs > interval) {
    const what = say`is ${{ value: check.timeoutMs }}, longer than intervalMs, which is ${{ interval }}`;
    cross.tell("checkTimes", [...path, "timeoutMs"], what, `write at most ${interval}, or a longer intervalMs`);
  }
  if (where === "pool" && check.address !== undefined) {
    cross.tell("checkAddress", [...path, "address"], "is given, but a pool's check looks at each backend", "remove it");
  }
  if (check.type === "https") checkCertificate(cross, check, path);
  if (where === "track" && check.type === "tcp" && check.port === undefined) {
    cross.tell("checkPort", [...path, "port"], "is missing, and there is no backend to take it from", 'add "port"');
  }
  const address = where === "track" && check.address !== undefined ? parseIpAddress(check.address) : undefined;
  const reason =
    address === undefined || address.startsWith("127.") || address === "::1" ? undefined : notForBackends(address);
  if (reason !== undefined)
    cross.tell(
      "badAddress",
      [...path, "address"],
      say`is ${{ value: String(address) }}, ${{ why: reason }}`,
      "write an address that a host can have",
    );
}

function checkCertificate(cross: Cross, check: Extract<CheckDocument, { type: "https" }>, path: Path): void {
  if (check.verify === false) {
    const what = "is false: whoever answers at the address counts as the backend, and an expired certificate as good";
    cross.warn("unverified", [...path, "verify"], what, "remove it once the box trusts the certificate's authority");
    return;
  }
  if (serverNameOf(check) !== undefined) return;
  cross.warn(
    "namelessCertificate",
    [...path, "sni"],
    "is missing, and so is a name in host: the certificate must hold the backend's address",
    'add "sni": the name on the certificate',
  );
}
