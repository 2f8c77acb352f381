import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { banner, type BannerFacts } from "./banner.ts";

const bare: BannerFacts = {
  hostname: "futago-cd0f",
  box: "alone",
  role: "alone",
  isConfigured: false,
  peer: null,
  vips: [],
  urls: ["https://10.1.0.23/", "https://futago-cd0f.local/"],
  fingerprint: "0123456789abcdef".repeat(4),
  claimCode: "K7QM3-XRP0T",
  version: "0.1.0",
  slot: "a",
  alarms: [],
  backupFiles: [],
};
const active: BannerFacts = {
  ...bare,
  hostname: "edge-a",
  box: "a",
  role: "active",
  isConfigured: true,
  peer: { alive: true, role: "standby" },
  vips: ["10.1.0.1/24, 10.2.0.1/24 (active)"],
  claimCode: null,
};
const lines = (facts: BannerFacts) => banner(facts).split("\n");

describe("the banner", () => {
  it("says of a bare box where its pages are, how to know them, and the code that claims it", () => {
    expect(lines(bare)).toEqual([
      "futago-cd0f                                               Futago 0.1.0   slot A",
      "-".repeat(79),
      "Role         none: this box has no configuration yet",
      "",
      "Web UI       https://10.1.0.23/",
      "             https://futago-cd0f.local/",
      "SHA-256      01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF",
      "             01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF",
      "",
      "Claim code   K7QM3-XRP0T   makes the first user, in the web UI",
      "",
      "Press Enter for the menu.",
      "",
    ]);
  });

  it("says of a box in a pair its role, its peer and the addresses that move, and no code", () => {
    expect(lines(active).slice(2, 5)).toEqual([
      "Role         active (box a)",
      "Peer         alive, standby",
      "VIPs         10.1.0.1/24, 10.2.0.1/24 (active)",
    ]);
    expect(banner(active)).not.toContain("Claim");
    expect(banner({ ...active, peer: { alive: false, role: "" } })).toContain("Peer         NOT HEARD\n");
  });

  it("says that no cable is plugged in, what is on a stick, and what is wrong", () => {
    const text = banner({ ...bare, urls: [], backupFiles: ["1-home.age"], alarms: ["one", "two", "three", "four"] });
    expect(text).toContain("Web UI       no address yet: is a cable plugged in?\n");
    expect(text).toContain('On the USB stick: 1-home.age. "Restore a backup file" in the menu takes it.\n');
    expect(text).toContain("ALARM: three\nand 1 more alarms\n");
    expect(text).not.toContain("four");
  });

  it("fits the screen in 7 bits, whatever the box is called and however much is wrong", () => {
    const text = fc.string({ unit: "binary", maxLength: 300 });
    const facts = fc.record({
      hostname: text,
      role: text,
      vips: fc.array(text, { maxLength: 9 }),
      urls: fc.array(text, { maxLength: 9 }),
      alarms: fc.array(text, { maxLength: 9 }),
      backupFiles: fc.array(text, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(facts, (some) => {
        const shown = lines({ ...active, ...some });
        // The last one is where the cursor waits.
        expect(shown.length).toBeLessThanOrEqual(24);
        for (const line of shown) expect(line).toMatch(/^[ -~]{0,79}$/);
        expect(shown.at(-2)).toBe("Press Enter for the menu.");
      }),
    );
  });
});
