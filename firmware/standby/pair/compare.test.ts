import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type Candidate, fitter, otherBox } from "./compare.ts";

function candidate(box: "a" | "b", health: number, preference: number): Candidate {
  return { box, health, preference };
}

describe("the fitter box", () => {
  const rows: readonly [string, a: [number, number], b: [number, number], "a" | "b"][] = [
    ["is the healthier one, whatever is preferred", [254, 254], [255, 1], "b"],
    ["is the preferred one among equally healthy", [200, 100], [200, 200], "b"],
    ["is a when nothing tells them apart", [255, 100], [255, 100], "a"],
    ["is the healthier one also among the sick", [2, 1], [1, 254], "a"],
  ];
  test.each(rows)("%s", (_, [ha, pa], [hb, pb], expected) => {
    expect(fitter(candidate("a", ha, pa), candidate("b", hb, pb))).toBe(expected);
  });

  it("is the same seen from both boxes, and one of the two", () => {
    const figures = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 1, max: 254 }));
    fc.assert(
      fc.property(figures, figures, ([ha, pa], [hb, pb]) => {
        const a = candidate("a", ha, pa);
        const b = candidate("b", hb, pb);
        expect(fitter(b, a)).toBe(fitter(a, b));
        expect(["a", "b"]).toContain(fitter(a, b));
      }),
    );
  });
});

test("each box is the other's other", () => {
  expect([otherBox("a"), otherBox("b")]).toEqual(["b", "a"]);
});
