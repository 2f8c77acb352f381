/** Changing the configuration of a running box, as a person does it: set, diff, commit, history, rollback, edit. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:net";
import type { CandidateDiff, Committed, HistoryEntry } from "@futago/firmware/runtime/control-configuration.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Pair } from "./pair-fixture.ts";
import { Boxes, type Ended, FUTAGO, type RunningBox } from "./running-box.ts";
import { Vt100 } from "./vt100.ts";

const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  routes: [{ to: "default", via: "10.1.0.254" }],
  pools: [
    {
      name: "web",
      backends: [
        { name: "s1", address: "10.2.0.11", port: 80 },
        { name: "s2", address: "10.2.0.12", port: 80 },
      ],
      check: { type: "none" },
    },
  ],
};

let net: TestNetwork;
let host: Namespace;
let boxes: Boxes;
let box: RunningBox;
let imported = "";

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  const other = await net.namespace("other");
  await net.link(host, "eth0", other, "eth0");
  await net.link(host, "eth1", other, "eth1");
  imported = boxes.document("box.json", document);
  box = boxes.start(host, boxes.state(), "--import", imported);
  await box.ready();
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});
beforeEach(async () => {
  await box.futago("discard", "--force");
  expect((await box.futago("config", "apply", imported)).code).toBe(0);
});

/** The command as somebody else gives it, or with another variable. */
function as(environment: Readonly<Record<string, string>>, ...argv: string[]): Promise<Ended> {
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return host.tryRun(["env", ...words, FUTAGO, ...argv, "--state", box.state]);
}

async function said(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await box.futago(...argv);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

async function asked<T>(...argv: string[]): Promise<T> {
  return JSON.parse(await said(...argv, "--json")) as T;
}

const inForce = () => asked<any>("show", "config");
const defaultRoute = () => host.ip("route show default");

describe("a change on the command line", () => {
  it("is shown, committed into the kernel, found in the history, and rolled back", async () => {
    expect(await said("set", "routes.default.via", "10.1.0.253")).toBe(
      '~ routes.default.via: "10.1.0.254" → "10.1.0.253"\nNot in force yet: `futago commit` does that.\n',
    );
    await said("set", "pools.web.backends.s3", '{"address":"10.2.0.13","port":80}');
    await said("delete", "pools.web.backends.s1");
    expect(await defaultRoute()).toContain("via 10.1.0.254");
    expect(await said("diff")).toMatch(
      /^Edited by root \(last at .*\), begun from revision [0-9a-f]{16}:\n(  [~+-] .*\n){3}$/,
    );
    const candidate = await asked<any>("show", "config", "--candidate");
    expect(candidate.pools[0].backends.map(({ name }: { name: string }) => name)).toEqual(["s2", "s3"]);
    expect(await inForce()).toEqual(document);

    expect(await said("commit", "--comment", "another gateway")).toMatch(/^Revision [0-9a-f]{16} is in force\.\n$/);
    expect(await defaultRoute()).toContain("via 10.1.0.253");
    expect(await inForce()).toEqual(candidate);
    expect(await said("diff")).toBe("Nothing is being edited.\n");
    const [newest, before] = await asked<readonly HistoryEntry[]>("history", "--limit", "2");
    expect(newest).toMatchObject({
      age: 0,
      comment: "another gateway",
      author: "root",
      parent: before?.id,
      whole: true,
    });
    expect(await said("history")).toMatch(
      /^BACK +REVISION.*\n +0 +[0-9a-f]{16} .* root +in force +another gateway\n +1 /,
    );

    expect(await asked<any>("show", "config", "--revision", "1")).toEqual(document);
    expect(await asked<any>("show", "config", "--revision", newest!.id.slice(0, 12))).toEqual(candidate);
    const back = await asked<Committed>("rollback", "1");
    expect(back).toMatchObject({ changed: true, confirmBy: null });
    expect(await inForce()).toEqual(document);
    expect(await defaultRoute()).toContain("via 10.1.0.254");
    expect((await asked<readonly HistoryEntry[]>("history"))[0]).toMatchObject({
      id: back.revision,
      parent: newest?.id,
    });
  });

  it("that cannot be is refused in words, and the candidate stays", async () => {
    const wrong = await box.futago("set", "pools.wbe.note", "x");
    expect(wrong).toMatchObject({
      code: 3,
      stdout: "",
      stderr:
        "futago: pools.wbe: is not there\n" +
        "  did you mean \"web\"; a new one is set as a whole first: `set pools.wbe '{…}'`.\n",
    });
    await said("delete", "pools.web");
    await said("set", "services.www", '{"address":"10.1.0.1","protocol":"tcp","port":80,"pool":"web"}');
    expect(await said("diff")).toContain("It cannot be committed like this:\n  services.www");
    const { code, stderr } = await box.futago("commit");
    expect([code, stderr]).toEqual([3, expect.stringContaining("services.www")]);
    expect((await asked<CandidateDiff>("diff")).changes).toHaveLength(2);
    expect(await inForce()).toEqual(document);
    expect(await said("discard")).toBe("The candidate is discarded.\n");
    expect((await box.futago("commit")).code).toBe(1);
    const files: readonly [string | Uint8Array, string][] = [
      [new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), "the document is not UTF-8 text"],
      [Buffer.from('\ufeff{"interfaces":[]}', "utf16le"), "it looks like UTF-16"],
      [Buffer.alloc(60 << 20, " "), "at most 25165824 are possible"],
      ['{"interfaces":[],"interfaces":[]}', "a second time in one object"],
      ["[".repeat(1_000), "more than 32 objects and lists"],
    ];
    for (const [content, words] of files) {
      const refused = await box.futago("config", "apply", boxes.file("bad.json", content));
      expect([refused.code, refused.stderr]).toEqual([3, expect.stringMatching(words)]);
    }
    for (const [argv, exit] of [
      [["rollback", "99"], 1],
      [["rollback", "nonsense"], 2],
      [["show", "config", "--revision", "ffffffff"], 1],
      [["confirm"], 1],
    ] as const) {
      expect((await box.futago(...argv)).code).toBe(exit);
    }
  });

  it("survives the core that is killed", async () => {
    await said("set", "pools.web.note", "half done");
    expect(await box.status()).toMatchObject({ editors: [{ author: "root" }] });
    const before = box.pid("core");
    process.kill(before, "SIGKILL");
    await vi.waitUntil(async () => (await box.futago("status")).code === 0 && box.pid("core") !== before, 10_000);
    expect((await asked<CandidateDiff>("diff")).changes.map(({ text }) => text)).toEqual([
      '+ pools.web.note: "half done"',
    ]);
    await said("commit");
    expect((await inForce()).pools[0].note).toBe("half done");
    expect(await box.status()).toMatchObject({ editors: [] });
  });

  it("of two people is told to both, and joined with what a third one committed elsewhere", async () => {
    await as({ SUDO_USER: "alice" }, "set", "pools.web.backends.s1.weight", "3");
    const second = await as({ SUDO_USER: "bob" }, "set", "pools.web.backends.s2.weight", "4");
    expect(second.stdout).toContain("alice edits this candidate, too");
    expect((await as({ SUDO_USER: "bob" }, "discard")).code).toBe(6);
    const elsewhere = { ...document, routes: [{ to: "default", via: "10.1.0.250" }] };
    await as({ SUDO_USER: "carol" }, "config", "apply", boxes.document("else.json", elsewhere));
    expect(await said("diff")).toMatch(/Revision [0-9a-f]{16} by carol was committed since/);
    expect((await as({ SUDO_USER: "bob" }, "commit")).stdout).toContain(
      "What alice changed in this candidate is committed, too.",
    );
    const after = await inForce();
    expect(after.routes).toEqual(elsewhere.routes);
    expect(after.pools[0].backends).toMatchObject([{ weight: 3 }, { weight: 4 }]);

    await said("set", "routes.default.via", "10.1.0.251");
    await as({ SUDO_USER: "carol" }, "config", "apply", imported);
    const { code, stderr } = await box.futago("commit");
    expect([code, stderr]).toEqual([6, expect.stringMatching(/by carol.* changed the same: routes\.default\.via\n/)]);
    expect(await inForce()).toEqual(document);
  });

  it("is text and nothing else, whatever it holds", async () => {
    const mark = join(boxes.directory, "mark");
    // The whole corpus is in box-hostile.test.ts; here it comes by the command line.
    const hostile = [`$(touch ${mark})\`touch ${mark}\`; touch ${mark} #' || touch ${mark} '`, "-x"];
    const typed = (verb: string, ...operands: string[]) =>
      host.tryRun([FUTAGO, verb, "--state", box.state, "--", ...operands]);
    for (const value of hostile) {
      expect((await typed("set", "pools.web.note", value)).code).toBe(0);
      await said("commit", `--comment=${value}`);
      expect((await inForce()).pools[0].note).toBe(value);
      expect((await asked<readonly HistoryEntry[]>("history", "--limit", "1"))[0]?.comment).toBe(value);
      for (const argv of [
        ["set", value, "x"],
        ["delete", value],
        ["rollback", value],
        ["confirm", value],
      ] as const) {
        expect((await typed(argv[0], ...argv.slice(1))).code).toBeGreaterThan(0);
      }
    }
    const odd = "a\u009b2Jb\u202e";
    for (const argv of [
      ["pools.web.note", odd],
      [`pools.${odd}.note`, "x"],
    ]) {
      const { code, stderr } = await box.futago("set", ...argv);
      expect([code, stderr.match(/[\u007f-\u009f\u202e]/g)]).toEqual([3, null]);
    }
    expect(existsSync(mark)).toBe(false);
  });
});

describe("a commit that has to be confirmed", () => {
  it("is rolled back by itself when nobody does, and stays when the one who made it does", {
    timeout: 30_000,
  }, async () => {
    await said("set", "routes.default.via", "10.1.0.253");
    const committed = await asked<Committed>("commit", "--confirm", "2");
    expect(Date.parse(committed.confirmBy ?? "") - Date.now()).toBeGreaterThan(0);
    expect(await defaultRoute()).toContain("via 10.1.0.253");
    await vi.waitUntil(async () => (await defaultRoute()).includes("via 10.1.0.254"), 10_000);
    expect(await inForce()).toEqual(document);

    await said("set", "routes.default.via", "10.1.0.253");
    const said2 = await said("commit", "--confirm", "60");
    expect(said2).toMatch(
      /^Revision ([0-9a-f]{16}) is in force, and is rolled back at .* confirmed:\n  futago confirm \1\n$/,
    );
    expect((await as({ SUDO_USER: "mallory" }, "confirm")).code).toBe(6);
    expect((await box.futago("confirm", "ffff")).code).not.toBe(0);
    await said("confirm", /Revision ([0-9a-f]{16})/.exec(said2)?.[1] ?? "");
    expect((await asked<readonly HistoryEntry[]>("history"))[0]).toMatchObject({ confirmedBy: "root" });
  });
});

describe("`futago edit`", () => {
  const editor = (name: string, script: string) => boxes.file(name, script);
  const edit = (script: string, ...argv: string[]) =>
    as({ EDITOR: `sh ${script}`, TMPDIR: boxes.directory }, "edit", ...argv);

  it("takes what an editor wrote into the candidate, and leaves no file", async () => {
    const script = editor("good.sh", `stat -c %a "$1" > ${boxes.directory}/mode; sed -i 's/10.1.0.254/10.1.0.9/' "$1"`);
    const { code, stdout } = await edit(script);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^~ routes\.default\.via: "10\.1\.0\.254" → "10\.1\.0\.9"\n/),
    ]);
    expect(readFileSync(join(boxes.directory, "mode"), "utf8")).toBe("600\n");
    expect((await host.run(["ls", boxes.directory])).includes("futago-edit")).toBe(false);
    expect((await edit(editor("idle.sh", "exit 0"))).stdout).toBe("Nothing changed.\n");
    await said("commit");
    expect((await inForce()).routes[0].via).toBe("10.1.0.9");
  });

  it("loses nothing of what cannot be: it says why and where the text is", async () => {
    const script = editor("bad.sh", `echo '{ "interfaces": [], }' > "$1"`);
    const { code, stderr } = await edit(script);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/column 21: .*\n.*\nYour text is in \S+\.\n$/)]);
    const file = /is in (\S+)\.\n$/.exec(stderr)?.[1] ?? "";
    expect(readFileSync(file, "utf8")).toBe('{ "interfaces": [], }\n');
    expect((await asked<CandidateDiff>("diff")).changes).toEqual([]);
    const none = await as({ EDITOR: "/nowhere/editor" }, "edit");
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("there is no editor here: /nowhere/editor")]);
  });

  it("asks at a terminal what to do with what cannot be: edit again, keep it, or leave it", async () => {
    // The first time a pool that nobody has, from the second time on a document that is none.
    const count = join(boxes.directory, "count");
    const script = editor(
      "twice.sh",
      `echo x >> ${count}; case $(wc -l < ${count}) in 1) sed -i 's/"web"/"web", "notes": 1/' "$1";; *) echo '{' > "$1";; esac`,
    );
    const at = (environment: Readonly<Record<string, string>>) =>
      new Vt100(host, [FUTAGO, "edit", "--state", box.state], { TMPDIR: boxes.directory, ...environment });
    const first = at({ VISUAL: `sh ${script}`, EDITOR: "/nowhere" });
    await first.until(/pools\.web\.notes: is no key[\s\S]*or leave it \(q\)\?/);
    await first.press("k\r", /\+ pools\.web\.notes: 1/);
    expect(await first.ended).toBe(0);
    expect((await asked<CandidateDiff>("diff")).problems).toMatchObject([{ where: "pools.web.notes" }]);

    const second = at({ EDITOR: `sh ${script}` });
    await second.until(/line 2, column 1: [\s\S]*or leave it/);
    second.type("\r");
    await vi.waitUntil(() => readFileSync(count, "utf8") === "x\nx\nx\n", 5_000);
    await second.until(/or leave it[\s\S]*or leave it/);
    second.type("\u0003");
    await second.until(/Your text is in \S+futago-edit/);
    expect(await second.ended).toBe(3);
    for (const terminal of [first, second]) expect(terminal.strange).toEqual([]);
  });
});

it("tells whoever writes to the socket by hand what was wrong", async () => {
  const refusals = [];
  for (const [method, params] of [
    ["set", { path: 1, value: "x", author: "x" }],
    ["set", { path: "a", author: "x" }],
    ["delete", { author: "x" }],
    ["edit", { document: "{}", author: "x", anyway: false }],
    ["commit", { author: "x", confirmSeconds: 1e9 }],
    ["commit", { author: "x", confirmSeconds: "1" }],
    ["commit", {}],
    ["rollback", { to: 1, author: "x" }],
    ["config", { revision: {} }],
    ["history", { limit: -1 }],
    ["discard", { author: "x", force: "yes" }],
    ["apply", { author: "", document: {} }],
  ]) {
    refusals.push(await talk({ id: 1, method, params }));
  }
  expect(refusals.map(({ error }) => error?.exitCode)).toEqual(refusals.map(() => 2));
  expect(box.stderr()).not.toContain("control-fault");
});

function talk(request: object): Promise<{ readonly error?: { readonly exitCode: number } }> {
  return new Promise((resolve) => {
    const socket = connect({ path: join(box.state, "control.sock") });
    socket.once("data", (chunk) => {
      socket.destroy();
      resolve(JSON.parse(chunk.toString()) as object);
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

describe("the candidates of two boxes of a pair", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start();
    await pair.until("a", "a active, b standby", ({ role, peer }) => role === "active" && peer?.role === "standby");
  });
  afterAll(() => pair?.destroy());

  const notes = async (name: "a" | "b") => {
    const shown = JSON.parse((await pair.box(name).futago("show", "config")).stdout) as typeof document;
    return shown.interfaces.slice(0, 2).map((one) => ("note" in one ? one.note : undefined));
  };

  it("are joined when they touch different places, whichever box commits first, and quarrel when not", async () => {
    const [a, b] = [pair.box("a"), pair.box("b")];
    await b.futago("set", "interfaces.wan.note", "from b");
    await a.futago("set", "interfaces.lan.note", "from a");
    expect(await b.futago("commit")).toMatchObject({ code: 0, stderr: "" });
    expect((await a.futago("diff")).stdout).toContain("was committed since this candidate was begun");
    const committed = await a.futago("commit", "--confirm", "2");
    expect(committed.stdout).toMatch(/is rolled back at [\s\S]*what it changed stays/);
    expect([await notes("a"), await notes("b")]).toEqual([
      ["from b", "from a"],
      ["from b", "from a"],
    ]);
    // Nobody confirms it: only what a committed is gone, on both.
    await vi.waitUntil(async () => (await notes("b"))[1] === undefined, 10_000);
    await vi.waitUntil(async () => (await notes("a"))[1] === undefined, 10_000);
    expect([await notes("a"), await notes("b")]).toEqual([
      ["from b", undefined],
      ["from b", undefined],
    ]);

    await a.futago("set", "interfaces.wan.note", "a says");
    await b.futago("set", "interfaces.wan.note", "b says");
    expect((await a.futago("commit")).code).toBe(0);
    expect(await b.futago("commit")).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(/changed the same: interfaces\.wan\.note\n/),
    });
    expect((await notes("b"))[0]).toBe("a says");
    expect((await b.futago("discard")).code).toBe(0);
  });
});
