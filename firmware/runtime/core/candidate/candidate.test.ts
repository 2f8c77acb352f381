import { beforeEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../../config/canonical.ts";
import { RefusalError } from "../../exit-code.ts";
import { type Revision, StoreError } from "../../store/store.ts";
import type { Committed, CommitWish } from "../commit/commits.ts";
import { judge } from "../judge.ts";
import { Candidate } from "./candidate.ts";
import { refusal } from "../../refused.test-support.ts";

const document = {
  interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }],
  pools: [
    {
      name: "web",
      backends: [
        { name: "s1", address: "10.1.0.11", port: 80 },
        { name: "s2", address: "10.1.0.12", port: 80 },
      ],
    },
  ],
};

/** A store and a commit that keep everything in memory; a document is committed when it holds as a whole. */
class Memory {
  readonly settings = new Map<string, string>();
  readonly revisions: Revision[] = [];
  failing = false;
  /** Called in the middle of a commit, before it looks at the head. */
  between: () => void = () => undefined;

  get head(): Revision | undefined {
    return this.revisions.at(-1);
  }

  put(value: unknown, author = "root"): Revision {
    const id = String(this.revisions.length).padStart(64, "a");
    const text = canonicalJson(value);
    const revision = { id, text, parent: this.head?.id, author, comment: "", time: "2026-01-05T03:04:05.678Z" };
    this.revisions.push(revision);
    return revision;
  }

  load(): Promise<Candidate> {
    return Candidate.load({
      settings: {
        setting: (key) => Promise.resolve(this.settings.get(key)),
        putSetting: (key, value) => {
          if (this.failing)
            return Promise.reject(new StoreError({ code: "diskFull", what: "full", mend: "free some" }));
          if (value === undefined) this.settings.delete(key);
          else this.settings.set(key, value);
          return Promise.resolve();
        },
      },
      commits: { commit: (wish) => this.#commit(wish), revision: (which) => Promise.resolve(this.#find(which)) },
      head: () => this.head,
      judge: (text) => Promise.resolve(judge(text, { box: undefined })),
    });
  }

  #find(which: string | undefined): Revision {
    const found = this.revisions.find(({ id }) => id === which);
    if (found === undefined) throw new Error("asked for a revision that is not there");
    return found;
  }

  async #commit(wish: CommitWish): Promise<Committed> {
    this.between();
    this.between = () => undefined;
    if (wish.base !== this.head?.id)
      throw new RefusalError({ exitCode: 6, what: "another change was committed in between" });
    const judged = judge(String(wish.document), { box: undefined });
    if (!judged.ok) throw new RefusalError({ exitCode: 3, what: judged.problems[0]?.what ?? "" });
    const changed = judged.text !== this.head?.text;
    const { id } = changed ? this.put(JSON.parse(judged.text), wish.author) : this.head;
    return { revision: id, changed, warnings: [], remarks: ["in force here"], confirmBy: null };
  }
}

let memory: Memory;
let candidate: Candidate;
beforeEach(async () => {
  memory = new Memory();
  memory.put(document);
  candidate = await memory.load();
});

const weight = (backend: string, value: number, author = "alice") =>
  candidate.change({ kind: "set", path: `pools.web.backends.${backend}.weight`, value: String(value) }, author);
const texts = (shown: { readonly changes: readonly { readonly text: string }[] }) =>
  shown.changes.map(({ text }) => text);
const inForce = () => JSON.parse(memory.head?.text ?? "") as typeof document;

describe("the candidate", () => {
  it("holds changes back until they are committed, then is gone", async () => {
    expect(texts(await weight("s1", 3))).toEqual(["+ pools.web.backends.s1.weight: 3"]);
    expect(texts(await weight("s1", 4))).toEqual(["~ pools.web.backends.s1.weight: 3 → 4"]);
    expect(inForce()).toEqual(document);
    expect(await candidate.diff()).toMatchObject({
      base: memory.head?.id,
      authors: [{ author: "alice" }],
      changes: [{ kind: "set", path: "pools.web.backends.s1.weight", after: 4 }],
      remarks: [],
      problems: [],
    });
    const committed = await candidate.commit({ author: "alice", comment: "more" });
    expect(committed).toMatchObject({ changed: true, remarks: ["in force here"] });
    expect(inForce().pools[0]?.backends[0]).toEqual({ name: "s1", address: "10.1.0.11", port: 80, weight: 4 });
    expect(await candidate.diff()).toEqual({
      base: memory.head?.id,
      authors: [],
      changes: [],
      remarks: [],
      problems: [],
    });
    expect(await refusal(candidate.commit({ author: "alice" }))).toMatchObject({ exitCode: 1 });
  });

  it("survives a restart", async () => {
    await weight("s1", 3);
    const before = await candidate.diff();
    candidate = await memory.load();
    expect(await candidate.diff()).toEqual(before);
  });

  it("is not begun by a change that changes nothing", async () => {
    await candidate.change({ kind: "set", path: "pools.web.backends.s1.port", value: "80" }, "alice");
    expect(memory.settings.size).toBe(0);
  });

  it("begins with nothing on a box without a configuration", async () => {
    memory.revisions.pop();
    candidate = await memory.load();
    expect(candidate.present).toEqual({ base: "", text: "{}" });
    const value = '{"device":"eth0"}';
    await candidate.change({ kind: "set", path: "interfaces.wan", value }, "alice");
    await candidate.commit({ author: "alice" });
    expect(memory.head?.text).toBe('{"interfaces":[{"device":"eth0","name":"wan"}]}');
  });

  it("refuses with exit code 3 what the schema does not have, and shows what would be refused as a whole", async () => {
    const wrong = candidate.change({ kind: "set", path: "pools.wbe.note", value: "x" }, "alice");
    const mend = "did you mean \"web\"; a new one is set as a whole first: `set pools.wbe '{…}'`.";
    expect(await refusal(wrong)).toMatchObject({ exitCode: 3, where: "pools.wbe", mend });
    const service = '{"address":"10.1.0.1","protocol":"tcp","port":80,"pool":"wbe"}';
    await candidate.change({ kind: "set", path: "services.www", value: service }, "alice");
    const { problems } = await candidate.diff();
    expect(problems.map(({ where }) => where)).toContain("services.www.pool");
    expect(await refusal(candidate.commit({ author: "alice" }))).toMatchObject({ exitCode: 3 });
    expect(texts(await candidate.diff())).toHaveLength(1);
  });

  it("changes nothing when the disk refuses, and is committed all the same when it cannot be forgotten", async () => {
    await weight("s1", 3);
    memory.failing = true;
    expect(await refusal(weight("s2", 3))).toEqual({ exitCode: 1, what: "full", mend: "free some." });
    expect(await refusal(candidate.discard("alice", false))).toMatchObject({ what: "full" });
    expect(texts(await candidate.diff())).toEqual(["+ pools.web.backends.s1.weight: 3"]);
    expect(await candidate.commit({ author: "alice" })).toMatchObject({ changed: true });
    // A restart finds it again: it changes nothing.
    candidate = await memory.load();
    memory.failing = false;
    expect(await candidate.commit({ author: "alice" })).toMatchObject({ changed: false });
  });

  it("takes one change after the other, however fast they come", async () => {
    await Promise.all([weight("s1", 3), weight("s2", 4), weight("s1", 5)]);
    expect(texts(await candidate.diff())).toEqual([
      "+ pools.web.backends.s1.weight: 5",
      "+ pools.web.backends.s2.weight: 4",
    ]);
  });
});

describe("two people who edit", () => {
  it("are told of each other, and neither discards the other's work unknowingly", async () => {
    await weight("s1", 3, "alice");
    const { remarks } = await weight("s2", 3, "bob");
    expect(remarks).toEqual(["alice edits this candidate, too: see `futago diff`."]);
    expect(await refusal(candidate.discard("bob", false))).toMatchObject({ exitCode: 6 });
    const committed = await candidate.commit({ author: "bob" });
    expect(committed.remarks[0]).toBe("What alice changed in this candidate is committed, too.");
    await weight("s1", 4, "alice");
    await candidate.discard("bob", true);
    expect(candidate.present.text).toBe(memory.head?.text);
    expect(await candidate.discard("bob", false)).toEqual({
      message: "There was no candidate.",
    });
  });

  it("have both of their changes when an editor was open meanwhile, and a refusal when they changed the same", async () => {
    const was = candidate.present.text;
    await weight("s1", 3, "alice");
    const written = was.replace('"s2","port":80', '"s2","port":81');
    expect(texts(await candidate.replace(written, was, "bob", false))).toEqual([
      "~ pools.web.backends.s2.port: 80 → 81",
    ]);
    expect(texts(await candidate.diff())).toHaveLength(2);
    const other = was.replace('"s1","port":80', '"s1","port":80,"weight":9');
    expect(await refusal(candidate.replace(other, was, "bob", false))).toMatchObject({
      exitCode: 6,
      what: "somebody else changed the same in the candidate meanwhile: pools.web.backends.s1.weight",
    });
  });
});

describe("a document from an editor", () => {
  it("is refused when it is no JSON or could not be committed, and kept anyway when that is wished", async () => {
    const was = candidate.present.text;
    expect(await refusal(candidate.replace("{", was, "alice", true))).toMatchObject({ exitCode: 3 });
    const twice = was.replace('"s1"', '"s2"');
    expect(await refusal(candidate.replace(twice, was, "alice", false))).toMatchObject({ exitCode: 3 });
    expect(memory.settings.size).toBe(0);
    await candidate.replace(twice, was, "alice", true);
    expect((await candidate.diff()).problems).not.toEqual([]);
  });

  it.each<[string, string]>([
    ["a key twice", '{"interfaces":[],"interfaces":[]}'],
    ["nesting without end", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["a number too large for any use", '{"interfaces":1e999}'],
    ["no object", '"interfaces"'],
    ["nothing", ""],
    ["UTF-16 in its first letter", "\ufffe{}"],
    ["more than any configuration may have", `{"note":"${"x".repeat(25 << 20)}"}`],
  ])("is refused with %s, and nothing changes", async (_, written) => {
    const { text } = candidate.present;
    expect(await refusal(candidate.replace(written, text, "alice", false))).toMatchObject({ exitCode: 3 });
    expect([candidate.present.text, memory.settings.size]).toEqual([text, 0]);
  });

  it("is worked on in a thread when it is large, with the same outcome", async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => ({ ...document.pools[0], name: `p${i}` }));
    memory.put({ ...document, pools: [...document.pools, ...many] });
    candidate = await memory.load();
    expect(texts(await weight("s1", 3))).toEqual(["+ pools.web.backends.s1.weight: 3"]);
    const was = candidate.present.text;
    const written = was.replace('"name":"p7"', '"name":"p7","note":"x"');
    expect(texts(await candidate.replace(written, was, "alice", false))).toEqual(['+ pools.p7.note: "x"']);
    expect(await candidate.commit({ author: "alice" })).toMatchObject({ changed: true });
  });
});

describe("a commit of a candidate that was begun from an older revision", () => {
  const others = (change: (document: any) => void) => {
    const next = inForce();
    change(next);
    return memory.put(next, "carol");
  };

  it("keeps both when they touch different places, and says so", async () => {
    await weight("s1", 3);
    const { id } = others((d) => (d.pools[0].backends[1].weight = 5));
    expect((await candidate.diff()).remarks).toEqual([
      `Revision ${id.slice(0, 16)} by carol was committed since this candidate was begun. \`commit\` joins both.`,
    ]);
    const { remarks } = await candidate.commit({ author: "alice" });
    expect(remarks[0]).toBe(`Revision ${id.slice(0, 16)} by carol was committed in between; what it changed stays.`);
    expect(inForce().pools[0]?.backends).toMatchObject([{ weight: 3 }, { weight: 5 }]);
  });

  it("is refused with the places that both changed, and goes on when they are set alike", async () => {
    await weight("s1", 3);
    others((d) => (d.pools[0].backends[0].weight = 5));
    expect((await candidate.diff()).remarks).toEqual([
      expect.stringMatching(/by carol.* changed the same: pools\.web\.backends\.s1\.weight\. `commit` is refused\. /),
    ]);
    const refused = await refusal(candidate.commit({ author: "alice" }));
    expect(refused).toMatchObject({
      exitCode: 6,
      what: expect.stringMatching(/by carol.*: pools\.web\.backends\.s1\.weight$/),
    });
    expect(inForce().pools[0]?.backends[0]).toMatchObject({ weight: 5 });
    await weight("s1", 5);
    expect(await candidate.commit({ author: "alice" })).toMatchObject({ changed: false });
  });

  it("shows before what would be refused of both together", async () => {
    const value = '{"name":"s3","address":"10.1.0.13","port":80}';
    await candidate.change({ kind: "set", path: "pools.web.backends.s3", value }, "alice");
    others((d) => d.pools[0].backends.push({ name: "s4", address: "10.1.0.13", port: 80 }));
    const { problems } = await candidate.diff();
    expect(problems).not.toEqual([]);
    expect(await refusal(candidate.commit({ author: "alice" }))).toMatchObject({ exitCode: 3 });
  });

  it("joins what is committed in the middle of it, too", async () => {
    await weight("s1", 3);
    memory.between = () => void others((d) => (d.pools[0].backends[1].weight = 5));
    await candidate.commit({ author: "alice" });
    expect(inForce().pools[0]?.backends).toMatchObject([{ weight: 3 }, { weight: 5 }]);
  });
});
