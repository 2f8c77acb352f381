import { expect, it } from "vitest";
import { certificateEndSentence, certificateRefusal } from "./certificate.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-22T12:00:00Z");

it.each([
  [-72 * HOUR, "certificate ended 3 days ago"],
  [-47 * HOUR, "certificate ended 47 hours ago"],
  [-1, "certificate ended less than an hour ago"],
  [0, "certificate ended less than an hour ago"],
  [HOUR, "certificate ends in 1 hour"],
  [5 * 24 * HOUR + 1, "certificate ends in 5 days"],
  [14 * 24 * HOUR - 1, "certificate ends in 13 days"],
  [14 * 24 * HOUR, undefined],
])("a certificate with %d ms left: %s", (left, sentence) => {
  expect(certificateEndSentence(NOW + left, NOW)).toBe(sentence);
});

it("says in words why a certificate does not count", () => {
  expect(certificateRefusal("DEPTH_ZERO_SELF_SIGNED_CERT", "a.test")).toBe(
    "certificate is self-signed and not trusted by the box",
  );
  expect(certificateRefusal("ERR_TLS_CERT_ALTNAME_INVALID", "a.test")).toBe("certificate is not for a.test");
  expect(certificateRefusal("PATH_LENGTH_EXCEEDED", "a.test")).toBe("certificate refused: path length exceeded");
});
