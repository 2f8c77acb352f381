/** What `files/` says to systemd refers to what is there: a slip shows on a box only when somebody needs the thing. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const FILES = fileURLToPath(new URL("files", import.meta.url));
const UNITS = join(FILES, "etc/systemd/system");
const names = readdirSync(UNITS);
const isLink = (name: string) => lstatSync(join(UNITS, name)).isSymbolicLink();
const masked = names.filter((name) => isLink(name) && readlinkSync(join(UNITS, name)) === "/dev/null");
const own = names.filter((name) => /\.(service|path|target|mount|socket)$/.test(name) && !isLink(name));
const textOf = (name: string) => readFileSync(join(UNITS, name), "utf8");

describe("units", () => {
  it("start programs that are there, or that Debian has", () => {
    const called = own.flatMap((name) =>
      Array.from(textOf(name).matchAll(/^Exec\w+=[-+!@:]*(\/\S+)/gm), ([, path = ""]) => ({ name, path })),
    );
    expect(called.length).toBeGreaterThan(5);
    const ours = called.filter(({ path }) => path.startsWith("/usr/lib/futago/") && !path.endsWith("/node"));
    for (const { path } of ours) {
      expect(readFileSync(join(FILES, path), "utf8")).toMatch(/^#!\/(usr\/)?bin\/(sh|busybox ash)\n/);
    }
  });

  it("name units that are there", () => {
    const named = own.flatMap((name) => Array.from(textOf(name).matchAll(/^Unit=(\S+)$/gm), ([, unit = ""]) => unit));
    expect(named.length).toBeGreaterThan(3);
    for (const unit of named) expect(own).toContain(unit);
  });

  it("are wanted by a target, where nothing else starts them", () => {
    const wants = names.filter((name) => name.endsWith(".wants")).flatMap((target) => readdirSync(join(UNITS, target)));
    for (const path of own.filter((name) => name.endsWith(".path"))) expect(wants).toContain(path);
    expect(wants).toContain("futago.service");
    for (const unit of masked) expect(wants).not.toContain(unit);
  });

  it("leave no way in by a login, a network or three keys", () => {
    for (const unit of [
      "ssh.service",
      "ssh.socket",
      "systemd-logind.service",
      "debug-shell.service",
      "ctrl-alt-del.target",
    ]) {
      expect(masked).toContain(unit);
    }
    const generators = readdirSync(join(FILES, "etc/systemd/system-generators"));
    expect(generators).toContain("systemd-ssh-generator");
    expect(generators).toContain("systemd-debug-generator");
  });
});

it("what serves ports without a configuration ends with it, and does not start beside one", () => {
  for (const name of ["networkd", "resolved", "timesyncd"]) {
    const text = readFileSync(join(UNITS, `systemd-${name}.service.d/futago.conf`), "utf8");
    expect(text).toContain("PartOf=futago-bare.target\n");
    expect(text).toContain("ConditionPathExists=!/run/futago/configured\n");
  }
  expect(existsSync(join(UNITS, "systemd-networkd.socket.d/futago.conf"))).toBe(true);
});

it("root has no password, and the web process is a user of its own", () => {
  const read = (name: string) => readFileSync(join(FILES, "etc", name), "utf8");
  for (const line of read("shadow").trim().split("\n")) expect(line.split(":")[1]).toMatch(/^[*!]/);
  expect(read("passwd")).toMatch(/^futago-web:x:64910:64910:/m);
});
