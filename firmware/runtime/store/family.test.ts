import { describe, expect, it } from "vitest";
import { Family, type Member } from "./family.ts";

/** "b<a": b was made from a; numbers in the order given. */
function members(...texts: readonly string[]): readonly Member[] {
  return texts.map((each, i) => {
    const [id = "", parent] = each.split("<");
    return { number: i + 1, id, parent };
  });
}

const names = (list: readonly Member[]): string => list.map(({ id }) => id).join(" ");

describe("a family", () => {
  // a - b - d - e, and from b also c, and from c also f; x is of nobody known.
  const all = members("a", "b<a", "c<b", "d<b", "x<w", "e<d", "f<c");

  it("tells what each is to the head", () => {
    const family = new Family(all, "e");
    const kinships = ["e", "d", "a", "c", "x", "w"].map((id) => [id, family.kinship(id), family.age(id)]);
    expect(kinships).toEqual([
      ["e", "head", 0],
      ["d", "ancestor", 1],
      ["a", "ancestor", 3],
      ["c", "relative", -1],
      ["x", "relative", -1],
      ["w", "unknown", -1],
    ]);
  });

  it("reads by descent, siblings where they came", () => {
    expect(names(new Family(all, "e").newestFirst())).toBe("f e x d c b a");
    expect(names(new Family(all, undefined).newestFirst())).toBe("f e x d c b a");
    // d came before its parent c.
    expect(names(new Family(members("a", "d<c", "b<a", "c<a"), "d").newestFirst())).toBe("b d c a");
  });

  it("follows the head to a sibling and back as if it had begun there", () => {
    const family = new Family(all, "e");
    for (const head of ["f", "e", "b", "x", "e"]) {
      family.moveHead(head);
      const anew = new Family(all, head);
      expect(names(family.lineage(9, undefined))).toBe(names(anew.lineage(9, undefined)));
      expect(names(family.newestFirst())).toBe(names(anew.newestFirst()));
    }
    family.moveHead("f");
    expect(names(family.lineage(9, undefined))).toBe("f c b a");
    expect(names(family.lineage(2, undefined))).toBe("f c");
    expect(names(family.lineage(9, "b"))).toBe("f c");
    expect(names(family.lineage(9, "e"))).toBe("f c b a");
    expect(names(family.lineage(0, undefined))).toBe("");
  });

  it("reaches further back when what its oldest was made from comes", () => {
    const family = new Family(members("a<z", "b<a"), "b");
    for (const member of members("y", "z<y")) family.add({ ...member, number: member.number + 2 });
    expect(names(family.lineage(9, undefined))).toBe("b a z y");
    expect(names(family.newestFirst())).toBe("b a z y");
  });

  it("ends where forged parents go in a circle", () => {
    const family = new Family(members("a<c", "b<a", "c<b"), "c");
    expect(names(family.lineage(9, undefined))).toBe("c b a");
    family.moveHead("b");
    expect(family.kinship("b")).toBe("head");
  });
});
