import { parseIpAddress } from "../units/address.ts";
import { instant } from "../units/time.ts";
import { describeIcmp } from "./icmp.suite.ts";
import { FakeIcmp } from "./icmp.ts";

describeIcmp("in memory", async () => {
  const icmp = new FakeIcmp(() => instant(0));
  for (const text of ["10.0.0.2", "fd00::2"]) icmp.setHost(parseIpAddress(text)!, "answers");
  for (const text of ["10.0.0.99", "fd00::99"]) icmp.setHost(parseIpAddress(text)!, "silent");
  return { icmp, destroy: async () => {} };
});
