import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical.ts";
import { diff, formatChange } from "./diff.ts";
import { type Edit, editDocument } from "./edit.ts";
import { changed, exampleDocument } from "./example.test-support.ts";

const alone = { interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }] };

function edit(document: unknown, words: string): ReturnType<typeof editDocument> {
  const [kind, path = "", ...value] = words.split(" ");
  const made: Edit = kind === "set" ? { kind, path, value: value.join(" ") } : { kind: "delete", path };
  return editDocument(document, made);
}

/** What the change did, as `futago diff` shows it. */
function changes(words: string, document: unknown = exampleDocument): readonly string[] {
  const edited = edit(document, words);
  if (!edited.ok) throw new Error(JSON.stringify(edited.problems));
  return diff(document, edited.document).map(formatChange);
}

/** Path, code and mend of what is refused. */
function refusal(words: string, document: unknown = exampleDocument): readonly string[] {
  const edited = edit(document, words);
  return edited.ok ? ["accepted"] : edited.problems.map(({ path, code, mend }) => `${path} ${code}: ${mend}`);
}

describe("a change of one place", () => {
  it.each<[string, readonly string[]]>([
    ["set pools.web.backends.s1.weight 3", ["+ pools.web.backends.s1.weight: 3"]],
    ["set pools.web.backends.s2.weight 3", ["~ pools.web.backends.s2.weight: 2 → 3"]],
    ["set pools.web.backends.s3.backup false", ["~ pools.web.backends.s3.backup: true → false"]],
    ["set system.timezone Europe/Berlin", ['~ system.timezone: "Asia/Tokyo" → "Europe/Berlin"']],
    ['set system.timezone "Europe/Berlin"', ['~ system.timezone: "Asia/Tokyo" → "Europe/Berlin"']],
    ['set pools.web.note say "hello" twice', ['+ pools.web.note: "say \\"hello\\" twice"']],
    ["set pools.web.note 12", ['+ pools.web.note: "12"']],
    ["set balancer.flows 2048", ['+ balancer: {"flows":2048}']],
    ["set pair.heartbeat.over sync, lan", ['~ pair.heartbeat.over: ["sync","lan","wan"] → ["sync","lan"]']],
    ['set services.www.allow ["192.0.2.1"]', ['+ services.www.allow: ["192.0.2.1"]']],
    ["set pair.heartbeat.over +wan,lan", []],
    ["set pair.witnesses +10.2.0.9, 10.1.0.254", ['~ pair.witnesses: ["10.1.0.254"] → ["10.1.0.254","10.2.0.9"]']],
    ["set services.www.deny +192.0.2.1", ['+ services.www.deny: ["192.0.2.1"]']],
    [
      "set interfaces.wan.addresses.b +10.1.0.9/24",
      ['~ interfaces.wan.addresses.b: ["10.1.0.3/24"] → ["10.1.0.3/24","10.1.0.9/24"]'],
    ],
    ["delete system.timezone", ['- system.timezone: "Asia/Tokyo"']],
    ["delete pools.web.backends.s1", ['- pools.web.backends.s1: {"address":"10.2.0.11","name":"s1","port":80}']],
    ["delete pair.heartbeat.over.lan", ['~ pair.heartbeat.over: ["sync","lan","wan"] → ["sync","wan"]']],
    ["set pools.web.name www", [expect.stringMatching(/^- pools\.web/), expect.stringMatching(/^\+ pools\.www/)]],
  ])("`%s`", (words, expected) => {
    expect(changes(words)).toEqual(expected);
  });

  it("makes an item of a list when the path names a new one, which need not repeat its name", () => {
    const value = '{"address":"10.2.0.14","port":80}';
    const added = ['+ pools.web.backends.s4: {"address":"10.2.0.14","name":"s4","port":80}'];
    expect(changes(`set pools.web.backends.s4 ${value}`)).toEqual(added);
    expect(changes('set routes.10.9.0.0/16 {"via":"10.2.0.9"}')).toEqual([
      '+ routes."10.9.0.0/16": {"to":"10.9.0.0/16","via":"10.2.0.9"}',
    ]);
    const routers = "failoverGroups.edge.virtualRouters";
    const router = '"addresses":["10.3.0.3/30"]';
    expect(changes(`set ${routers}.sync:12 {${router}}`)).toEqual([
      `+ ${routers}.sync:12: {${router},"interface":"sync","vrid":12}`,
    ]);
    expect(changes(`set ${routers}.sync {${router}}`)).toEqual([`+ ${routers}.sync: {${router},"interface":"sync"}`]);
    expect(changes(`set ${routers}.third {"interface":"sync",${router}}`)).toEqual([
      `+ ${routers}.third: {${router},"interface":"sync","name":"third"}`,
    ]);
    const track = '{"check":{"port":80,"type":"tcp"},"weight":-50}';
    expect(changes(`set failoverGroups.edge.track.0 ${track}`)).toEqual([`+ failoverGroups.edge.track: [${track}]`]);
  });

  it("finds a key with dots that a shell has taken the quotes from", () => {
    const document = changed((d) => d.routes.push({ to: "10.9.0.0/16", via: "10.2.0.9" }));
    const expected = ['~ routes."10.9.0.0/16".via: "10.2.0.9" → "10.2.0.8"'];
    expect(changes("set routes.10.9.0.0/16.via 10.2.0.8", document)).toEqual(expected);
    expect(changes('set routes."10.9.0.0/16".via 10.2.0.8', document)).toEqual(expected);
    expect(changes("delete pair.witnesses.10.1.0.254")).toEqual(['~ pair.witnesses: ["10.1.0.254"] → []']);
  });

  it("splits a value that both boxes share when one of them gets its own", () => {
    expect(changes("set system.timezone.b Europe/Berlin")).toEqual([
      '~ system.timezone: "Asia/Tokyo" → {"a":"Asia/Tokyo","b":"Europe/Berlin"}',
    ]);
    expect(changes("set interfaces.wan.addresses.a 10.1.0.4/24")).toEqual([
      '~ interfaces.wan.addresses.a: ["10.1.0.2/24"] → ["10.1.0.4/24"]',
    ]);
    expect(changes('set system.hostname {"a":"x","b":"y"}')).toEqual([
      '~ system.hostname.a: "edge-a" → "x"',
      '~ system.hostname.b: "edge-b" → "y"',
    ]);
    expect(changes("set system.hostname edge")).toEqual(['~ system.hostname: {"a":"edge-a","b":"edge-b"} → "edge"']);
    expect(changes("delete interfaces.wan.addresses.b.10.1.0.3/24")).toEqual([
      '~ interfaces.wan.addresses.b: ["10.1.0.3/24"] → []',
    ]);
  });

  it("drops with another kind of check what only the former kind has", () => {
    expect(changes("set pools.web.check.type tcp")).toEqual([
      '- pools.web.check.path: "/"',
      '- pools.web.check.expectStatus: "200-399"',
      '~ pools.web.check.type: "http" → "tcp"',
    ]);
  });

  it("begins with nothing on a box without a configuration", () => {
    expect(changes('set interfaces.wan {"device":"eth0"}', {})).toEqual([
      '+ interfaces: [{"device":"eth0","name":"wan"}]',
    ]);
  });

  it("leaves the document it was given as it is", () => {
    const before = canonicalJson(exampleDocument);
    changes("set pools.web.backends.s2.weight 9");
    changes("delete pools.web");
    expect(canonicalJson(exampleDocument)).toBe(before);
  });
});

describe("a change that cannot be", () => {
  it.each<[string, unknown]>([
    [
      "set pools.wbe.check.type tcp",
      "pools.wbe unknownName: did you mean \"web\"; a new one is set as a whole first: `set pools.wbe '{…}'`",
    ],
    [
      "set pools.web.backends.s9.weight 3",
      expect.stringMatching(
        /^pools\.web\.backends\.s9 unknownName: .*; a new .* `set pools\.web\.backends\.s9 '\{…\}'`$/,
      ),
    ],
    ["set pools.web.backend.s1.weight 3", 'pools.web.backend unknownKey: did you mean "backends"'],
    ["set pols.web.note x", 'pols unknownKey: did you mean "pools"'],
    ["delete pools.wbe", 'pools.wbe unknownName: did you mean "web"'],
    ["delete services.www.allow", "services.www.allow unknownKey: see `show config` for what is"],
    ["set firewall {}", "firewall notBuilt: leave it away"],
    [
      "set pools.web.backends.s1.weight three",
      expect.stringMatching(/weight wrongType: write a whole number from 0 to 100$/),
    ],
    [
      "set pools.web.backends.s1.weight 300",
      expect.stringMatching(/weight outOfRange: write a whole number from 0 to 100$/),
    ],
    ["set pools.web.backends.s1.weight.x 3", expect.stringMatching(/weight unknownKey: end the path here/)],
    ["set pools.web.backends.s1.backup yes", expect.stringMatching(/backup wrongType: write true or false/)],
    ["set pools.web.backends.s1.address 10.2.0", expect.stringMatching(/address malformed: write /)],
    ["set pools.web.backends.s1.weight", expect.stringMatching(/weight wrongType/)],
    [
      'set pools.web.backends.s4 {"address":"10.2.0.14"}',
      expect.stringMatching(/^pools\.web\.backends\.s4\.port missingKey/),
    ],
    [
      'set pools.web.backends.s4 {"address":"10.2.0.14","port":80,"prot":1}',
      expect.stringMatching(/^pools\.web\.backends\.s4\.prot unknown/),
    ],
    [
      'set pools.web.backends.s4 {"name":"s5","address":"10.2.0.14","port":80}',
      expect.stringMatching(/s4 malformed: write the same in both/),
    ],
    ["set pools.web.backends.s4 10.2.0.14", expect.stringMatching(/s4 syntax: write the value as JSON/)],
    ['set pools.web.check {"type":"http","type":"tcp"}', "pools.web.check syntax: write the value as JSON"],
    ["set pools.web.check.type htpp", 'pools.web.check.type wrongWord: did you mean "http"'],
    ["delete pools.web.check.type", expect.stringMatching(/type missingKey: set another value/)],
    ["delete pools.web.backends.s1.port", expect.stringMatching(/port missingKey: set another value/)],
    ["set failoverGroups.edge.track.1 {}", expect.stringMatching(/track\.1\.(check|weight) missingKey/)],
    ["set interfaces.wan.addresses.10.1.0.2/24 x", expect.stringMatching(/addresses unknownKey: say which one/)],
    [
      "set interfaces.wan.addresses +10.1.0.9/24",
      "interfaces.wan.addresses syntax: say which one: end the path with .a or .b",
    ],
    ["set services.www.allow +nonsense", expect.stringMatching(/allow\.0 malformed/)],
    ["delete system.hostname.a", "system.hostname.a missingKey: set one value for both boxes, or delete both"],
    ["set pair.heartbeat.over.sync x", expect.stringMatching(/over unknownKey: set the whole list/)],
    ["set pools..x 1", expect.stringMatching(/ malformed: write keys with dots/)],
    ["set . 1", expect.stringMatching(/ malformed: write keys with dots/)],
    ["set pools.web. 1", expect.stringMatching(/malformed/)],
    ['set "\\x".a 1', expect.stringMatching(/ malformed: write keys with dots/)],
    ["delete", expect.stringMatching(/ malformed: write keys with dots/)],
    ["set __proto__.x 1", expect.stringMatching(/^__proto__ unknownKey/)],
    ["set pools.web.__proto__ 1", expect.stringMatching(/^pools\.web\.__proto__ unknownKey/)],
  ])("`%s` is refused with what to do", (words, expected) => {
    const [first] = refusal(words);
    expect(first).toEqual(expected);
  });

  it("says on a box alone that there is no other, and what the check misses before its type", () => {
    expect(refusal("set interfaces.wan.addresses.a 10.1.0.4/24", alone)).toEqual([
      "interfaces.wan.addresses.a perBoxAlone: leave .a and .b away",
    ]);
    const noCheck = changed((d) => delete d.pools[0].check);
    expect(refusal("set pools.web.check.path /x", noCheck)).toEqual([
      "pools.web.check.type missingKey: set it first, to one of icmp, tcp, http, https, dns, none",
    ]);
  });

  it("does not go into what is not of the schema's kind", () => {
    expect(refusal("set pools.web.note x", { pools: {} })).toEqual(["pools wrongType: set it as a whole"]);
    expect(refusal("set system.timezone x", { system: [] })).toEqual(["system wrongType: set it as a whole"]);
  });

  it("never throws, whatever path, value and document", () => {
    const key = fc.constantFrom("pools", "web", "backends", "s1", "check", "type", "addresses", "a", "0", "note", "");
    const path = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(key, fc.string()), { maxLength: 6 }).map((k) => k.join(".")),
    );
    const value = fc.oneof(fc.string(), fc.json());
    const document = fc.oneof(fc.constant(exampleDocument), fc.jsonValue(), fc.record({ pools: fc.jsonValue() }));
    fc.assert(
      fc.property(document, path, value, fc.boolean(), (given, where, written, isSet) => {
        editDocument(given, isSet ? { kind: "set", path: where, value: written } : { kind: "delete", path: where });
      }),
      { numRuns: 5_000 },
    );
  });
});
