import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { makeIdentity } from "./identity.ts";

it("a box's certificate is good whatever its clock says: from the time that a machine without a battery wakes up in", async () => {
  const { certificate, privateKey } = await makeIdentity();
  const { validFrom, validTo, subject } = new X509Certificate(Buffer.from(certificate, "hex"));
  expect([validFrom, validTo]).toEqual(["Jan  1 00:00:00 1970 GMT", "Dec 31 23:59:59 9999 GMT"]);
  expect(subject).toBe("CN=futago");
  expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
});
