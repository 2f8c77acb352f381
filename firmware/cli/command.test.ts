import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Command, readCommand } from "./command.ts";
import { editDistance } from "./command-words.ts";
import { renderHelp } from "./help.ts";
import { VERBS } from "./verbs.ts";

const words = (line: string) => readCommand(line.split(" ").filter((word) => word !== ""));

describe("the command line", () => {
  const common = { stateDirectory: "/data/futago", json: false };
  it.each<[string, Command]>([
    ["status", { kind: "status", watch: false, ...common }],
    ["status -w --json --state /s", { kind: "status", watch: true, stateDirectory: "/s", json: true }],
    ["wait --role active --timeout 2.5", { kind: "wait", role: "active", timeoutSeconds: 2.5, ...common }],
    ["wait --role standby", { kind: "wait", role: "standby", timeoutSeconds: 30, ...common }],
    ["show why", { kind: "show", what: "why", ...common }],
    ["config apply x.json", { kind: "apply", file: "x.json", how: {}, ...common }],
    ["config apply - --json", { kind: "apply", file: "-", how: {}, ...common, json: true }],
    [
      "config apply x --confirm 60 --comment trial",
      { kind: "apply", file: "x", how: { confirmSeconds: 60, comment: "trial" }, ...common },
    ],
    ["pair invite", { kind: "pair", word: "invite", code: "", replace: false, ...common }],
    ["pair join k7qm-3xrp --replace", { kind: "pair", word: "join", code: "k7qm-3xrp", replace: true, ...common }],
    ["pair rotate --json", { kind: "pair", word: "rotate", code: "", replace: false, ...common, json: true }],
    ["show config", { kind: "showConfig", revision: undefined, candidate: false, ...common }],
    ["show config --revision 2", { kind: "showConfig", revision: "2", candidate: false, ...common }],
    ["show config --candidate", { kind: "showConfig", revision: undefined, candidate: true, ...common }],
    ["set a.b 3 --json", { kind: "set", path: "a.b", value: "3", ...common, json: true }],
    ["set a.b -50", { kind: "set", path: "a.b", value: "-50", ...common }],
    ["set --json a.b -50 --state /s", { kind: "set", path: "a.b", value: "-50", stateDirectory: "/s", json: true }],
    ["set -- a.b --json", { kind: "set", path: "a.b", value: "--json", ...common }],
    ["delete a.b", { kind: "delete", path: "a.b", ...common }],
    ["edit", { kind: "edit", ...common }],
    ["diff", { kind: "diff", ...common }],
    ["discard --force", { kind: "discard", force: true, ...common }],
    ["commit", { kind: "commit", how: {}, ...common }],
    ["commit --confirm 10 --comment x", { kind: "commit", how: { confirmSeconds: 10, comment: "x" }, ...common }],
    ["confirm", { kind: "confirm", revision: undefined, force: false, ...common }],
    ["confirm ab12 --force", { kind: "confirm", revision: "ab12", force: true, ...common }],
    ["rollback 1 --confirm 5", { kind: "rollback", to: "1", how: { confirmSeconds: 5 }, ...common }],
    ["history --limit 3 --before ab12", { kind: "history", query: { limit: 3, before: "ab12" }, ...common }],
    ["backup x.age", { kind: "backup", file: "x.age", passphraseFile: undefined, force: false, ...common }],
    [
      "backup x --passphrase-file p --force",
      { kind: "backup", file: "x", passphraseFile: "p", force: true, ...common },
    ],
    [
      "restore x.age --map eth0=eno1,eth1=eno2 --replace",
      {
        kind: "restore",
        file: "x.age",
        passphraseFile: undefined,
        map: { eth0: "eno1", eth1: "eno2" },
        replace: true,
        force: false,
        ...common,
      },
    ],
    ["switchover", { kind: "switchover", group: undefined, ...common }],
    ["factory-reset", { kind: "factoryReset", ask: true, force: false, ...common }],
    ["factory-reset --yes", { kind: "factoryReset", ask: false, force: false, ...common }],
    ["factory-reset --force", { kind: "factoryReset", ask: false, force: true, ...common }],
    ["spare activate", { kind: "spare", word: "activate", force: false, ...common }],
    ["spare release --force", { kind: "spare", word: "release", force: true, ...common }],
    ["switchover --group edge", { kind: "switchover", group: "edge", ...common }],
    ["maintenance off", { kind: "maintenance", on: false, ...common }],
    ["locate on", { kind: "locate", on: true, ...common }],
    ["maintenance on --state=/s", { kind: "maintenance", on: true, stateDirectory: "/s", json: false }],
    ["show services --service www", { kind: "show", what: "services", service: "www", ...common }],
    ["show health --service www", { kind: "show", what: "health", service: "www", ...common }],
    ["show flows", { kind: "flows", query: {}, ...common }],
    [
      "show flows --service www --client 10.1.0.9 --backend web/s1 --limit 5",
      { kind: "flows", query: { service: "www", client: "10.1.0.9", backend: "web/s1", limit: 5 }, ...common },
    ],
    ["trace 10.1.0.9 www", { kind: "trace", query: { client: "10.1.0.9", service: "www" }, ...common }],
    [
      "trace 10.1.0.9:40000 www",
      { kind: "trace", query: { client: "10.1.0.9", clientPort: 40_000, service: "www" }, ...common },
    ],
    ["trace 2001:db8::7 www", { kind: "trace", query: { client: "2001:db8::7", service: "www" }, ...common }],
    ["trace [2001:db8::7] www", { kind: "trace", query: { client: "2001:db8::7", service: "www" }, ...common }],
    [
      "trace [2001:db8::7]:53 dns --json",
      { kind: "trace", query: { client: "2001:db8::7", clientPort: 53, service: "dns" }, ...common, json: true },
    ],
    ["drill", { kind: "drill", how: "planned", back: false, ...common }],
    ["drill --kill --return", { kind: "drill", how: "killed", back: true, ...common }],
    ["drill report", { kind: "drillReport", ...common }],
    ["drain web/s1", { kind: "drain", backend: "web/s1", on: true, untilIdleSeconds: undefined, ...common }],
    ["drain s1 --until-idle", { kind: "drain", backend: "s1", on: true, untilIdleSeconds: 600, ...common }],
    ["drain s1 --until-idle --timeout 5", { kind: "drain", backend: "s1", on: true, untilIdleSeconds: 5, ...common }],
    ["undrain s1", { kind: "drain", backend: "s1", on: false, untilIdleSeconds: undefined, ...common }],
    ["capture -o -", { kind: "capture", query: {}, file: "-", ...common }],
    [
      "capture --service www --client ::1 --count 10 --seconds 5 --snap 96 -o x.pcapng",
      {
        kind: "capture",
        query: { service: "www", client: "::1", count: 10, seconds: 5, snap: 96 },
        file: "x.pcapng",
        ...common,
      },
    ],
    ["web", { kind: "access", order: { kind: "web" }, ...common }],
    ["user list", { kind: "access", order: { kind: "users" }, ...common }],
    [
      "user add anna --role admin --password-file p",
      { kind: "access", order: { kind: "userAdd", name: "anna", role: "admin", passwordFile: "p" }, ...common },
    ],
    [
      "user set anna",
      { kind: "access", order: { kind: "userSet", name: "anna", role: undefined, passwordFile: undefined }, ...common },
    ],
    [
      "user set anna --role viewer",
      { kind: "access", order: { kind: "userSet", name: "anna", role: "viewer", passwordFile: undefined }, ...common },
    ],
    ["user delete anna", { kind: "access", order: { kind: "userDelete", name: "anna" }, ...common }],
    ["token list", { kind: "access", order: { kind: "tokens" }, ...common }],
    [
      "token create ci --scope operate,read --scope metrics --expires 90d",
      {
        kind: "access",
        order: { kind: "tokenCreate", name: "ci", scopes: ["metrics", "read", "operate"], expires: "90d" },
        ...common,
      },
    ],
    [
      "update /b.raucb",
      {
        kind: "update",
        order: { word: "file", file: "/b.raucb" },
        force: false,
        thisBox: false,
        wait: true,
        ...common,
      },
    ],
    [
      "update status",
      { kind: "update", order: { word: "status" }, force: false, thisBox: false, wait: true, ...common },
    ],
    [
      "update back --force",
      { kind: "update", order: { word: "back" }, force: true, thisBox: false, wait: true, ...common },
    ],
    [
      "update ./status --no-wait",
      {
        kind: "update",
        order: { word: "file", file: "./status" },
        force: false,
        thisBox: false,
        wait: false,
        ...common,
      },
    ],
    ["token revoke 0123", { kind: "access", order: { kind: "tokenRevoke", id: "0123" }, ...common }],
    ["session list", { kind: "access", order: { kind: "sessions" }, ...common }],
    ["ssh on -", { kind: "ssh", word: "on", file: "-", json: false }],
    ["ssh off --json", { kind: "ssh", word: "off", file: "", json: true }],
    ["session end 0123", { kind: "access", order: { kind: "sessionEnd", id: "0123" }, ...common }],
    ["audit --limit 5", { kind: "access", order: { kind: "audit", query: { limit: 5 } }, ...common }],
    [
      "run --state /s --box b --import c.json --pair-key k --web [::1]:80 --system /data/system --board auto",
      {
        kind: "run",
        stateDirectory: "/s",
        box: "b",
        importFile: "c.json",
        pairKeyFile: "k",
        web: "[::1]:80",
        power: undefined,
        system: "/data/system",
        updater: undefined,
        updatePace: undefined,
        board: "auto",
      },
    ],
    [
      "run",
      {
        kind: "run",
        stateDirectory: "/data/futago",
        box: undefined,
        importFile: undefined,
        pairKeyFile: undefined,
        web: undefined,
        power: undefined,
        system: undefined,
        updater: undefined,
        updatePace: undefined,
        board: undefined,
      },
    ],
  ])("reads `futago %s`", (line, command) => {
    expect(words(line)).toEqual(command);
  });

  it.each([
    ["", "a verb is missing"],
    ["stauts", 'did you mean "status"?'],
    ["frobnicate", 'there is no verb "frobnicate"'],
    ["status extra", "one word too many"],
    ["status --colour", 'there is no option "--colour" usage'],
    ["status -x", 'there is no option "-x"'],
    ["commit --coment x", 'there is no option "--coment"; did you mean "--comment"?'],
    ["commit --confirm --comment x", "--confirm needs SECONDS"],
    ["commit --confirm", "--confirm needs SECONDS"],
    ["status --json=1", "--json takes no value"],
    ["status --state", "--state needs DIR"],
    ["show", "is missing"],
    ["show helth", 'did you mean "health"?'],
    ["config apply", "config: FILE is missing"],
    ["config aply f", 'did you mean "apply"?'],
    ["pair", "invite|join CODE|status"],
    ["pair join", "join needs the CODE"],
    ["pair invite now", '"now" is one word too many'],
    ["pair unpair --replace", "--replace is for invite and join"],
    ["wait", "--role is missing"],
    ["wait --role master", '"master" is no role'],
    ["wait --role active --timeout -1", "--timeout"],
    ["wait --role active --timeout soon", "--timeout is a number"],
    ["run --box c", "--box is a or b"],
    ["run --web 80", "--web is ADDR:PORT or :PORT"],
    ["run --web :0", "--web is ADDR:PORT or :PORT"],
    ["run --web :65536", "--web is ADDR:PORT or :PORT"],
    ["run --web edge:443", "--web is ADDR:PORT or :PORT"],
    ["run --web [10.1.0.1]:443", "--web is ADDR:PORT or :PORT"],
    ["run --web ::1:443", "--web is ADDR:PORT or :PORT"],
    ["user", "user: list|add NAME|set NAME|delete NAME is missing"],
    ["user add", "add needs a NAME"],
    ["user add anna", "add needs --role"],
    ["user add anna --role root", '"root" is no role; the roles are viewer, operator, admin'],
    ["user list anna", '"anna" is one word too many'],
    ["user delete anna --role admin", "--role is not for delete"],
    ["user remove anna", "is not one of list, add, set, delete"],
    ["token create ci", "create needs --scope"],
    ["token create ci --scope read --expires soon", '"soon" is no time; write it like 12h'],
    ["token create ci --scope read,write", '"write" is no scope'],
    ["token revoke", "revoke needs an ID"],
    ["session end", "end needs an ID"],
    ["session end 1 --scope read", 'there is no option "--scope"'],
    ["audit --limit 0", "--limit is a whole number"],
    ["maintenance", "on|off is missing"],
    ["maintenance maybe", "not one of on, off"],
    ["show log --service www", "--service is for `show flows`"],
    ["show services --client ::1", "--client is for `show flows`"],
    ["show flows --limit many", "--limit is a whole number"],
    ["show flows --limit 0", "--limit is a whole number"],
    ["drill reports", "did you mean"],
    ["drill report --kill", "--kill is for a drill"],
    ["drill report --return", "--return is for a drill"],
    ["drain", "BACKEND is missing"],
    ["drain a b", "one word too many"],
    ["drain s1 --timeout 5", "--timeout needs --until-idle"],
    ["drain s1 --until-idle --timeout 100000", "up to 86400"],
    ["undrain s1 --until-idle", "--until-idle"],
    ["trace 10.1.0.9", "trace: SERVICE is missing"],
    ["trace 10.1.0.9:http www", '"http" is no port'],
    ["trace 10.1.0.9:70000 www", '"70000" is no port'],
    ["set a.b", "set: VALUE is missing usage"],
    ["set a.b=c=d", 'set: VALUE is missing: write a blank instead of "=", as in "set a.b c=d"'],
    ["set", "set: PATH VALUE is missing"],
    ["set a.b 1 2", '"2" is one word too many'],
    ["commit --confirm soon", "--confirm is a whole number above 0 up to 86400"],
    ["commit --confirm 100000", "up to 86400"],
    ["rollback", "N|ID is missing"],
    ["history --limit 0", "--limit"],
    ["show config --service www", "not for `show config`"],
    ["show why --candidate", "--candidate is for `show config`"],
    ["show config --candidate --revision 1", "two documents"],
    ["backup", "FILE is missing"],
    ["restore f --map eth0", '--map is OLD=NEW, not "eth0"'],
    ["restore f --map a=b=c", '--map is OLD=NEW, not "a=b=c"'],
    ["restore f --map a=b,a=c", '--map says twice what "a" is'],
    ["capture", "-o FILE is missing"],
    ["capture -o - --json", "would both write to standard output"],
    ["capture -o f --snap -1", "--snap"],
  ])("refuses `futago %s` with exit code 2 and says why", (line, sentence) => {
    const command = words(line);
    expect(command.kind).toBe("refused");
    if (command.kind !== "refused") return;
    expect(command.refusal.exitCode).toBe(2);
    expect(`${command.refusal.what} ${command.refusal.mend ?? ""}`).toContain(sentence);
  });

  it("never throws, whatever the words", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("run", "show", "--state", "--json", "--", "-", "-w", "--role=", "wait"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        expect(readCommand(argv).kind).toBeTypeOf("string");
      }),
    );
  });

  it("gives help for every verb, naming each of its options", () => {
    for (const verb of VERBS) {
      for (const argv of [
        [verb.name, "--help"],
        ["help", verb.name],
        [verb.name, "-h"],
      ]) {
        expect(readCommand(argv)).toEqual({ kind: "help", verb });
      }
      const text = renderHelp(verb);
      for (const option of Object.keys(verb.options)) expect(text).toContain(`--${option}`);
      expect(renderHelp(undefined).replace(/\s+/g, " ")).toContain(verb.summary);
      for (const line of `${text}${renderHelp(undefined)}`.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});

describe("the distance between words", () => {
  it.each([
    ["", "", 0],
    ["abc", "", 3],
    ["status", "stauts", 2],
    ["show", "shw", 1],
    ["kitten", "sitting", 3],
  ])("of %j and %j is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
