import type { IpAddress } from "@futago/hal/units/address.ts";
import { expect, it } from "vitest";
import { certificateAlarms } from "./certificate-alarms.ts";
import type { Subject } from "./subjects.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const DAY = 86_400_000;

const subjectAt = (address: string): Subject => ({
  path: `pools.web.backends.${address}`,
  about: { kind: "backend", pool: "web", backend: address, at: "" },
  probe: {
    kind: "https",
    port: undefined,
    path: "/",
    host: undefined,
    sni: undefined,
    verify: true,
    expectStatus: [],
    expectBody: undefined,
    intervalMs: 1_000,
    timeoutMs: 500,
    rise: 1,
    fall: 1,
  },
  address: address as IpAddress,
  port: 443,
  device: undefined,
  source: undefined,
});

it("names each certificate that ends soon or has ended, and no other", () => {
  const subjects = ["10.2.0.1", "10.2.0.2", "10.2.0.3", "10.2.0.4"].map(subjectAt);
  const ends = [NOW + 5 * DAY, NOW - 3 * DAY, NOW + 15 * DAY, undefined];
  const states = new Map(subjects.map(({ path }, i) => [path, { certificateEndsAt: ends[i] }]));
  expect([...certificateAlarms(subjects, (path) => states.get(path), NOW)]).toEqual([
    [
      "pools.web.backends.10.2.0.1",
      "pools.web.backends.10.2.0.1: the certificate ends in 5 days (https 10.2.0.1:443). Renew it on the backend.",
    ],
    [
      "pools.web.backends.10.2.0.2",
      "pools.web.backends.10.2.0.2: the certificate ended 3 days ago (https 10.2.0.2:443). Renew it on the backend.",
    ],
  ]);
});
