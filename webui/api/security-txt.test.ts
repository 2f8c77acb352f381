import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { readSecurityTxt, securityTxt } from "./security-txt.ts";

it("names whom to tell, until a year after the image was made", () => {
  expect(securityTxt("https://example.test/report\nmailto:holes@example.test\n", "2026-01-02T03:04:05Z")).toBe(
    "Contact: https://example.test/report\nContact: mailto:holes@example.test\nExpires: 2027-01-02T03:04:05.000Z\nPreferred-Languages: en, ja\n",
  );
  expect(securityTxt("tel:+1-201-555-0123", 1_767_323_045)).toContain("Expires: 2027-01-02T03:04:05.000Z\n");
});

it("says nothing where nobody is named, or when the image was made is unknown", () => {
  for (const contacts of ["", "# nobody\n", "javascript:alert(1)", "https://a b"]) {
    expect(securityTxt(contacts, 0)).toBeUndefined();
  }
  expect(securityTxt("https://example.test/", "yesterday")).toBeUndefined();
});

it("is read from beside the software of an image", () => {
  const directory = mkdtempSync(join(tmpdir(), "futago-security-"));
  const at = (name: string) => pathToFileURL(join(directory, name));
  try {
    expect(readSecurityTxt(at("contact"), at("image.json"))).toBeUndefined();
    writeFileSync(at("contact"), "https://example.test/\n");
    expect(readSecurityTxt(at("contact"), at("image.json"))).toBeUndefined();
    writeFileSync(at("image.json"), `{"version":"1","time":"2026-01-02T03:04:05Z"}`);
    expect(readSecurityTxt(at("contact"), at("image.json"))).toContain("Contact: https://example.test/\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
