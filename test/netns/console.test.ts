/** The console menu of a pair's box, on a real pseudo-terminal, by keys alone. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pair } from "./pair-fixture.ts";
import { FUTAGO } from "./running-box.ts";
import { Vt100 } from "./vt100.ts";

const DOWN = "\u001b[B";
const ERASE = "\u007f";

let pair: Pair;
let terminal: Vt100;
beforeAll(async () => {
  pair = await Pair.start();
  await pair.until("a", "a active, b standby", (status) => status.role === "active" && status.peer?.role === "standby");
  const environment = { SHELL: "/bin/sh", USER: "operator", SUDO_USER: "operator" };
  terminal = new Vt100(pair.hosts.a, [FUTAGO, "console", "--state", pair.box("a").state], environment);
}, 60_000);
afterAll(async () => {
  terminal?.close();
  await pair?.destroy();
});

const menu = /\n> 1 {2}Status\n/;

describe("the console menu", () => {
  it("shows what the box does, its status, its transitions, and what it cannot do and why", async () => {
    const first = await terminal.until(/Box a is ACTIVE: it answers for 10\.1\.0\.1\/24 and 10\.2\.0\.1\/24/);
    expect(first[0]).toMatch(/ \(box a\)$/);
    expect(first.join("\n")).toMatch(/The peer is alive and standby\./);
    await terminal.press("1", /GROUP +STATE[\s\S]*any (other )?key: back to the menu/);
    await terminal.press("x", menu);
    await terminal.press(`${DOWN}${DOWN}\r`, /Who is active, and why[\s\S]*standby -> active/);
    await terminal.press("\u001b", menu);
    await terminal.press("7", /Reset the password cannot be done now: there is no web UI/);
    await terminal.press("9", /Boot the other slot cannot be done now/);
    await terminal.press("f", /Factory reset cannot be done now/);
  });

  it("switches over after a question, and back", async () => {
    await terminal.press("4", /Switch over now\?/);
    await terminal.press("n", menu);
    expect((await pair.status("a")).role).toBe("active");
    await terminal.press("4", /Switch over now\?/);
    await terminal.press("y", /any key: back to the menu/);
    await pair.until("b", "b active", (status) => status.role === "active");
    await terminal.press("x", /Box a is STANDBY/);
    await terminal.press("4", /Switch over now\?/);
    await terminal.press("y", /any key: back to the menu/);
    await terminal.press("x", /Box a is ACTIVE/);
  });

  it("changes an address of this box, refuses one that cannot be, and rolls the configuration back", async () => {
    const { revision } = await pair.status("a");
    await terminal.press("2", /> wan +eth0 +10\.1\.0\.2\/24/);
    await terminal.press(`${DOWN}\r`, /Addresses of lan on this box[\s\S]*> 10\.2\.0\.2\/24_/);
    // No subnet is left in which the VIP could lie.
    await terminal.press(`${ERASE.repeat(11)}10.9.0.2/24\r`, /then: +10\.9\.0\.2\/24[\s\S]*Put this into force\?/);
    await terminal.press("y", /This did not work:[\s\S]*failoverGroups\.edge/);
    await terminal.press("x", menu);
    expect((await pair.status("a")).revision).toBe(revision);
    expect((await pair.box("a").futago("diff")).stdout).toBe("Nothing is being edited.\n");

    await terminal.press("2", /> wan/);
    await terminal.press(`${DOWN}\r`, /> 10\.2\.0\.2\/24_/);
    await terminal.press(",10.2.0.77/24\r", /Addresses of lan then: +10\.2\.0\.2\/24,10\.2\.0\.77\/24/);
    await terminal.press("y", /Revision [0-9a-f]{16} is in force/);
    await terminal.press("x", menu);
    expect(await pair.hosts.a.ip("-4 addr show dev eth1")).toContain("10.2.0.77/24");

    await terminal.press("8", /0 +in force +[0-9a-f]{16} .*operator +from the/);
    await terminal.press("\r", /Roll back the configuration/);
    await terminal.press(`${DOWN}\r`, /import[\s\S]*Put this configuration into force again/);
    await terminal.press("y", /Revision [0-9a-f]{16} is in force/);
    expect(await pair.hosts.a.ip("-4 addr show dev eth1")).not.toContain("10.2.0.77/24");
    await terminal.press("x", menu);
  });

  it("does not commit what somebody else is editing", async () => {
    const { revision } = await pair.status("a");
    await pair.box("a").futago("set", "interfaces.wan.note", "half done");
    await terminal.press("2", /> wan/);
    await terminal.press("\r", /> 10\.1\.0\.2\/24_/);
    await terminal.press(",10.1.0.77/24\r", /Put this into force\?/);
    await terminal.press("y", /This did not work:[\s\S]*has not committed it yet/);
    await terminal.press("x", menu);
    expect((await pair.status("a")).revision).toBe(revision);
    expect((await pair.box("a").futago("discard", "--force")).code).toBe(0);
  });

  it("restores a backup file, whose passphrase it asks for", async () => {
    const [box, file] = [pair.box("a"), join(pair.files.directory, "a backup")];
    const passphrase = pair.files.file("passphrase", "one two three four five\n");
    expect(await box.futago("backup", file, "--passphrase-file", passphrase)).toMatchObject({ code: 0, stderr: "" });
    const { revision } = await pair.status("a");
    await box.futago("set", "interfaces.wan.note", "after the backup");
    expect((await box.futago("commit")).code).toBe(0);
    await terminal.press("r", /The path of the backup file/);
    await terminal.press(`${file}\r`, /[Pp]assphrase/);
    await terminal.press("one two three four five\r", /The backup's configuration is in force[\s\S]*Press Enter/);
    expect(terminal.lines.join("\n")).not.toContain("one two three");
    await terminal.press("\r", /Done\./);
    await terminal.press("x", menu);
    const shown = async (which: string) => (await box.futago("show", "config", "--revision", which)).stdout;
    expect(await shown("0")).toBe(await shown(revision));
  });

  it("lends the terminal to a shell, redraws, and says when the box is away", async () => {
    await terminal.press("s", /^# *$/m);
    await terminal.press("echo one$((1+1))three\r", /one2three/);
    await terminal.press("exit\r", menu);
    terminal.disturb();
    await terminal.press("\u000c", menu);
    process.kill(pair.box("a").pid("core"), "SIGKILL");
    await terminal.until(/the box runs but its core is starting|Box a is/);
    await terminal.until(/Box a is ACTIVE/);
    expect((await pair.box("a").stop()).code).toBe(0);
    await terminal.until(/no box runs in this state directory/);
    await terminal.press("1", /Status cannot be done now: no box runs/);
    terminal.type("q");
    expect(await terminal.ended).toBe(0);
    expect(terminal.strange).toEqual([]);
  });
});

it("makes a pair of two boxes out of their cartons, by their two menus", { timeout: 60_000 }, async () => {
  const bare = await Pair.start({ bare: true });
  const terminals: Vt100[] = [];
  try {
    for (const name of ["a", "b"] as const) {
      const box = bare.files.start(bare.hosts[name], bare.files.state(name));
      await box.ready(20_000);
      terminals.push(new Vt100(bare.hosts[name], [FUTAGO, "console", "--state", box.state]));
    }
    const [inviter, joiner] = terminals as [Vt100, Vt100];
    for (const one of terminals) await one.until(/this box has no configuration/);
    await inviter.press("6", /> Invite the other box/);
    const code = /The code is (\S+)\. /.exec((await inviter.press("\r", /The code is/)).join("\n"))?.[1] ?? "";
    await joiner.press("6", /> Invite the other box/);
    await joiner.press(`${DOWN}\r`, /The code that the other box shows/);
    await joiner.press(`${code}\r`, /Does the other box show the same digits\?/);
    const digits = async (one: Vt100) =>
      /This box shows (\d{3} \d{3})/.exec((await one.until(/This box shows/)).join("\n"))?.[1];
    expect(await digits(inviter)).toBe(await digits(joiner));
    for (const one of terminals) one.type("yes\r");
    for (const one of terminals) await one.until(/The two are linked\.[\s\S]*Press Enter to go on\./);
    for (const one of terminals) await one.press("\r", /any key: back to the menu/);
    await joiner.press("x", /\(box b\)/);
    // A box with a peer says what it would have to give up.
    await inviter.press("x", menu);
    await inviter.press("6", /> Invite/);
    await inviter.press("\r", /this box has a peer[\s\S]*Press Enter/);
    await inviter.press("\r", /It ended with exit code 6/);
    for (const one of terminals) one.type("xq");
    expect(await Promise.all(terminals.map(({ ended }) => ended))).toEqual([0, 0]);
  } finally {
    for (const one of terminals) one.close();
    await bare.destroy();
  }
});

it("needs a terminal", async () => {
  const { code, stderr } = await pair.hosts.a.tryRun([FUTAGO, "console"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("the console menu needs a terminal")]);
});
