import { describe, expect, it } from "vitest";
import { boxA, briefly, changed, exampleDocument, problemsOf } from "./example.test-support.ts";
import { validate } from "./validate.ts";

const interfaces = [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }];

describe("accepted documents", () => {
  it("takes the example of the design for both boxes, without a warning", () => {
    for (const box of ["a", "b"] as const) {
      const result = validate(JSON.stringify(exampleDocument), { box });
      expect(result).toMatchObject({ ok: true, warnings: [], document: exampleDocument });
    }
  });

  it("takes the smallest box alone, and ignores that it is called a", () => {
    expect(validate({ interfaces }, { box: undefined })).toMatchObject({ ok: true, resolved: { box: undefined } });
    expect(validate({ interfaces }, boxA)).toMatchObject({ ok: true, resolved: { box: undefined, pair: undefined } });
  });

  it("takes a note on every object", () => {
    const withNotes = (value: any): any => {
      if (Array.isArray(value)) return value.map(withNotes);
      if (typeof value !== "object" || value === null) return value;
      const perBox = "a" in value && "b" in value;
      const inside = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNotes(item)]));
      return perBox ? inside : { ...inside, note: "why: 二つ" };
    };
    expect(briefly(withNotes(exampleDocument))).toEqual([]);
  });

  it("takes a byte order mark, white space, and bytes as well as text", () => {
    const text = `\ufeff\n${JSON.stringify(exampleDocument, null, "\t")}\r\n`;
    expect(validate(text, boxA).ok).toBe(true);
    expect(validate(new TextEncoder().encode(text), boxA).ok).toBe(true);
  });

  it("writes back VRIDs that were left out, and the same ones when asked again", () => {
    const document = changed((d) => {
      delete d.failoverGroups[0].virtualRouters[0].vrid;
      delete d.failoverGroups[0].virtualRouters[1].vrid;
      d.failoverGroups[0].virtualRouters.push({ interface: "wan", vrid: 100, addresses: ["10.1.0.4/24"] });
    });
    const first = validate(document, boxA);
    if (!first.ok) throw new Error(JSON.stringify(first.problems));
    expect(first.document.failoverGroups?.[0]?.virtualRouters.map((vr) => vr.vrid)).toEqual([101, 100, 100]);
    expect(validate(first.document, boxA)).toMatchObject({ ok: true, document: first.document });
  });

  it("takes a virtual address on an interface without an address of that family", () => {
    const document = changed((d) => {
      d.failoverGroups[0].virtualRouters.push({ interface: "wan", addresses: ["2001:db8::1/64"] });
    });
    expect(briefly(document)).toEqual([]);
  });

  it("takes an address owner with priority 255 on a box alone", () => {
    const virtualRouters = [{ interface: "wan", addresses: ["10.1.0.2/24"], priority: 255 }];
    expect(briefly({ interfaces, failoverGroups: [{ name: "g", virtualRouters }] }, { box: undefined })).toEqual([]);
  });
});

describe("text that is no document", () => {
  const rows: readonly (readonly [string, string | Uint8Array, string, string])[] = [
    ["empty text", "", "syntax", "line 1, column 1: the end of the text"],
    ["a trailing comma", '{\n  "interfaces": [],\n}', "syntax", "line 3, column 1: "],
    ["a comment", '{\n// hello\n"interfaces": []}', "syntax", "line 2, column 1: a comment"],
    ["single quotes", "{'interfaces': []}", "syntax", "line 1, column 2: "],
    ["two documents", "{}{}", "syntax", 'line 1, column 3: "{" after the end'],
    ["a key twice", '{"pools": [],\n "pools": []}', "duplicateKey", 'line 2, column 2: the key "pools" a second time'],
    ["a key twice, once escaped", '{"a": 1, "\\u0061": 2}', "duplicateKey", "line 1, column 10: "],
    ["nesting", "[".repeat(100_000), "tooDeep", "line 1, column 34: more than 32"],
    ["Latin-1", Uint8Array.from([0x22, 0xfc, 0x22]), "encoding", "is not UTF-8"],
    ["UTF-16", Uint8Array.from([0xff, 0xfe, 0x7b, 0x00]), "encoding", "is not UTF-8"],
    ["33 MiB", " ".repeat(33 * 1024 * 1024), "tooLarge", "34603008 bytes"],
  ];
  it.each(rows)("tells %s", (_name, text, code, what) => {
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({ code, path: "", what: expect.stringContaining(what) }),
    ]);
  });
});
