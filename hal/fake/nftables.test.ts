import { expect, test } from "vitest";
import { HalError } from "../contract/error.ts";
import { FakeNftables } from "./nftables.ts";
import { describeNftables } from "./nftables.suite.ts";

describeNftables("the packet filter in memory", async () => {
  const nftables = new FakeNftables();
  return {
    inside: (call) => call(nftables),
    track: async (mark, isAnswered) => {
      const { all, open } = nftables.tracked.get(mark) ?? { all: 0, open: 0 };
      nftables.tracked.set(mark, { all: all + 1, open: open + (isAnswered ? 1 : 0) });
    },
    destroy: async () => {},
  };
});

test("a refusal that a test ordered lasts until it is taken back", async () => {
  const nftables = new FakeNftables();
  nftables.refuse(new HalError("ENOTSUP", "nft", "the program nft is not installed"));
  await expect(nftables.apply("table inet doors\n")).rejects.toThrow("not installed");
  nftables.refuse(undefined);
  await expect(nftables.apply("table inet doors\n")).resolves.toBeUndefined();
});
