/** What hal/contract/nftables.ts promises, as tests that the fake and the real kernel both pass. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Nftables } from "../contract/nftables.ts";

export interface NftablesUnderTest {
  /** Calls must begin inside: the real one works where the calling thread is. */
  inside<T>(call: (nftables: Nftables) => T): T;
  /** Makes a tracked connection over UDP with this mark, answered or not. */
  track(mark: number, isAnswered: boolean): Promise<void>;
  destroy(): Promise<void>;
}

const PORTS = (port: number) => ["table inet doors {", "\tchain in {", `\t\ttcp dport ${port} accept`, "\t}", "}", ""];
const anew = (port: number) => ["add table inet doors", "delete table inet doors", ...PORTS(port)].join("\n");

export function describeNftables(name: string, make: () => Promise<NftablesUnderTest>): void {
  describe(`Nftables: ${name}`, () => {
    let machine: NftablesUnderTest;
    const apply = (document: string) => machine.inside((nft) => nft.apply(document));
    const table = () => machine.inside((nft) => nft.table("doors"));
    const generation = () => machine.inside((nft) => nft.generation());

    beforeEach(async () => {
      machine = await make();
    });
    afterEach(async () => {
      machine.inside((nft) => nft.close());
      await machine.destroy();
    });

    test("a table is there after it was applied, another one after it was replaced, and none after it was deleted", async () => {
      expect(await table()).toBeUndefined();
      await apply(PORTS(80).join("\n"));
      expect(await table()).toContain("tcp dport 80 accept");
      await apply(anew(443));
      expect(await table()).toContain("tcp dport 443 accept");
      expect(await table()).not.toContain("tcp dport 80 accept");
      await apply("delete table inet doors\n");
      expect(await table()).toBeUndefined();
    });

    test("what is applied again is listed as it was", async () => {
      await apply(anew(80));
      const first = await table();
      await apply(anew(80));
      expect(await table()).toBe(first);
    });

    test("the generation is another one after a change, and the same without", async () => {
      const before = await generation();
      expect(await generation()).toBe(before);
      await apply(anew(80));
      const after = await generation();
      expect(after).not.toBe(before);
      expect(await generation()).toBe(after);
    });

    test("a document with one bad line changes nothing", async () => {
      await apply(anew(80));
      const before = [await table(), await generation()];
      await expect(apply(`${anew(443)}nonsense\n`)).rejects.toThrow(/nft: .*syntax error/s);
      await expect(apply("delete table inet doors\ndelete table inet walls\n")).rejects.toThrow(/ENOENT/);
      expect([await table(), await generation()]).toEqual(before);
    });

    test("connections are counted by their marks, and forgotten by them", async () => {
      const marked = () => machine.inside((nft) => nft.marked(0x46000000, 0xff000000));
      const forget = (mark: number, mask: number) => machine.inside((nft) => nft.forget(mark, mask));
      expect(await marked()).toEqual(new Map());
      await machine.track(0x46000001, true);
      await machine.track(0x46000001, false);
      await machine.track(0x460000ff, true);
      await machine.track(0x47000001, true);
      expect(await marked()).toEqual(
        new Map([
          [0x46000001, { all: 2, open: 1 }],
          [0x460000ff, { all: 1, open: 1 }],
        ]),
      );
      await forget(0x46000001, 0xffffffff);
      expect(await marked()).toEqual(new Map([[0x460000ff, { all: 1, open: 1 }]]));
      await forget(0x46000000, 0xff000000);
      expect(await marked()).toEqual(new Map());
      expect(await machine.inside((nft) => nft.marked(0x47000001, 0xffffffff))).toEqual(
        new Map([[0x47000001, { all: 1, open: 1 }]]),
      );
    });
  });
}
