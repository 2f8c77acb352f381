import { describe, expect, test } from "vitest";
import { refusal } from "../refused.test-support.ts";
import type { InForce } from "./configuration.ts";
import type { SentinelLink } from "./sentinel-link.ts";
import { switchOver, type SwitchoverFacts } from "./switchover.ts";

const DONE = { kind: "result", id: 1, ok: true, message: "switched over", exitCode: 0 } as const;

function ordered(kind: SwitchoverFacts["standing"]["kind"], inForce: InForce | undefined) {
  const said: unknown[] = [];
  const sentinel: Pick<SentinelLink, "command"> = {
    command: async (command) => {
      said.push(command);
      return DONE;
    },
  };
  return { said, answer: switchOver("edge", { configuration: { inForce }, standing: { kind } }, sentinel) };
}

describe("a switch-over", () => {
  test("is the sentinel's to carry out", async () => {
    const { said, answer } = ordered("paired", {} as InForce);
    expect([await answer, said]).toEqual([DONE, [{ kind: "switchover", group: "edge" }]]);
  });

  test.each([
    ["alone", /^this box has no configuration; .* `futago pair join CODE`/],
    ["left", /^this box has no configuration; .* `futago pair join CODE`/],
    ["paired", /^this box has no configuration; it takes its peer's as soon as the two are linked, .*give both one/],
    ["key", /^this box has no configuration; give it one with `futago config apply FILE`$/],
  ] as const)("without a configuration is refused, on a box %s", async (kind, what) => {
    const { said, answer } = ordered(kind, undefined);
    const refused = await refusal(answer);
    expect([refused.exitCode, refused.what, said]).toEqual([1, expect.stringMatching(what), []]);
  });
});
