import { expect, it } from "vitest";
import { readPublicKeys } from "./ssh-keys.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJm0QJxg1XrjUdVm0kZ2V9kB7zCXmWy9jV7mW3yqXQh anna@desk";
const wrongOf = (text: string) => {
  const read = readPublicKeys(text);
  return "wrong" in read ? (read.wrong ?? "none") : "good";
};

it("takes public keys between blank lines and remarks", () => {
  expect(readPublicKeys(`# admins\n\n${ED25519}\r\n`)).toEqual({
    keys: [{ line: ED25519, kind: "ssh-ed25519", blob: ED25519.split(" ")[1], comment: "anna@desk" }],
  });
});

it.each([
  ["nothing", "\n# nobody\n", "none"],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", 1],
  ["options before the key", `command="reboot" ${ED25519}`, 1],
  ["a key of another kind than it says", ED25519.replace("ssh-ed25519", "ssh-rsa"), 1],
  ["a key that was cut", `${ED25519}\n${ED25519.slice(0, 40)}`, 2],
  ["a kind that is weak", ED25519.replace("ssh-ed25519", "ssh-dss"), 1],
  ["letters that move a cursor", `${ED25519}\u001b[2J`, 1],
])("refuses %s", (_, text, wrong) => {
  expect(wrongOf(text)).toBe(wrong);
});
