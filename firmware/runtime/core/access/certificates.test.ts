import { createPrivateKey, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { certificateShown, fingerprintOf, readIdentity } from "./given-certificate.ts";
import { CLOCK_FLOOR_MILLIS, isToBeRenewed, makeOwnCertificate, type WebIdentity } from "./own-certificate.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2027, 5, 1);
const names = { hosts: ["edge-a", "localhost"], addresses: ["10.1.0.1", "fd00::1"] };
let own: WebIdentity;
let another: WebIdentity;

beforeAll(async () => {
  own = await makeOwnCertificate(names, NOW);
  another = await makeOwnCertificate(names, NOW);
});

describe("the certificate that a box makes itself", () => {
  it("is one that browsers take: its names, its purpose, its days, a serial number of its own", () => {
    const read = new X509Certificate(own.certificate);
    expect(read.subject).toBe("CN=edge-a");
    expect(read.subjectAltName).toBe("DNS:edge-a, DNS:localhost, IP Address:10.1.0.1, IP Address:FD00:0:0:0:0:0:0:1");
    expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(read.ca).toBe(false);
    expect(read.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.checkPrivateKey(createPrivateKey(own.key))).toBe(true);
    expect(Date.parse(read.validFrom)).toBe(NOW - DAY);
    expect(Date.parse(read.validTo) - Date.parse(read.validFrom)).toBeLessThan(825 * DAY);
    expect(read.serialNumber).not.toBe(new X509Certificate(another.certificate).serialNumber);
  });

  it("is good today although the clock of the box was never set, and made again when it is", async () => {
    const of1970 = new X509Certificate((await makeOwnCertificate(names, 5_000)).certificate);
    expect(Date.parse(of1970.validFrom)).toBe(CLOCK_FLOOR_MILLIS - DAY);
    expect(isToBeRenewed(Date.parse(of1970.validTo), Date.UTC(2029, 0, 1))).toBe(true);
    expect(isToBeRenewed(Date.parse(of1970.validTo), 5_000)).toBe(false);
    expect(isToBeRenewed(NOW, NOW - 29 * DAY)).toBe(true);
    expect(isToBeRenewed(NOW, NOW - 31 * DAY)).toBe(false);
  });

  it("is shown with the fingerprint that a browser shows", () => {
    const { fingerprint, subject, selfSigned } = certificateShown(own.certificate, true);
    expect([fingerprint, subject, selfSigned]).toEqual([fingerprintOf(own.certificate), "CN=edge-a", true]);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("a certificate that an owner brings", () => {
  it("is taken with its key, whatever stands around them", () => {
    const read = readIdentity(`Bag Attributes\n${own.certificate}\n`, `\n${own.key}`, NOW);
    expect(read).toEqual({ ok: true, value: own });
  });

  it.each<[string, () => readonly [string, string, number]]>([
    ["certificateUnreadable", () => ["", own.key, NOW]],
    ["certificateUnreadable", () => ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", own.key, NOW]],
    ["certificateUnreadable", () => [own.certificate + own.key, own.key, NOW]],
    ["certificateUnreadable", () => [own.certificate.repeat(9), own.key, NOW]],
    ["certificateTooLong", () => [own.certificate.repeat(200), own.key, NOW]],
    ["keyUnreadable", () => [own.certificate, own.certificate, NOW]],
    ["keyUnreadable", () => [own.certificate, "", NOW]],
    ["keyUnsuitable", () => [own.certificate, ED25519, NOW]],
    ["keyOfAnother", () => [own.certificate, another.key, NOW]],
    ["chainOrder", () => [own.certificate + another.certificate, own.key, NOW]],
    ["certificateExpired", () => [own.certificate, own.key, NOW + 800 * DAY]],
  ])("is refused: %s", (reason, given) => {
    expect(readIdentity(...given())).toEqual({ ok: false, reason });
  });

  it("has not ended by a clock that was never set", () => {
    expect(readIdentity(own.certificate, own.key, 5_000).ok).toBe(true);
  });
});

/** RFC 8410 §10.3. */
const ED25519 = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`;
