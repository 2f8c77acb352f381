import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSysctl } from "./sysctl.ts";

const root = mkdtempSync(`${tmpdir()}/futago-sysctl-`);
const sysctl = openSysctl(root);

beforeAll(() => {
  mkdirSync(`${root}/net/ipv4/conf/eth0.100`, { recursive: true });
  writeFileSync(`${root}/net/ipv4/ip_forward`, "0\n");
  writeFileSync(`${root}/net/ipv4/conf/eth0.100/arp_ignore`, "0\n");
});
afterAll(() => rmSync(root, { recursive: true }));

test("a switch is read without its line feed and written", () => {
  expect(sysctl.read("net.ipv4.ip_forward")).toBe("0");
  sysctl.write("net.ipv4.ip_forward", "1");
  expect(readFileSync(`${root}/net/ipv4/ip_forward`, "utf8")).toBe("1");
});

test("a slash stands for the dot of an interface's name", () => {
  sysctl.write("net.ipv4.conf.eth0/100.arp_ignore", "1");
  expect(sysctl.read("net.ipv4.conf.eth0/100.arp_ignore")).toBe("1");
});

test("a switch that this kernel lacks is ENOENT, and writing makes no file", () => {
  expect(() => sysctl.read("net.ipv4.no_such")).toThrow(expect.objectContaining({ name: "HalError", code: "ENOENT" }));
  expect(() => sysctl.write("net.ipv4.no_such", "1")).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test.each(["", "net..ipv4", "net.//.//.etc.passwd", "net.ipv4.conf.a b.arp_ignore"])(
  "%j is refused as a name",
  (name) => {
    expect(() => sysctl.read(name)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  },
);

test("the kernel's own switches are read by default", () => {
  expect(openSysctl().read("kernel.ostype")).toBe("Linux");
});
