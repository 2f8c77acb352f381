import { describe, expect, it } from "vitest";
import { hashText } from "./hash.ts";
import { markBackends, NFT_MARK, NFT_MARK_MASK } from "./nft-marks.ts";
import { backend, ip, service } from "./services.test-support.ts";

const marks = (services: Parameters<typeof markBackends>[0]) =>
  new Map(markBackends(services).map((one) => [`${one.service.port} ${one.backend.address}`, one.mark]));

describe("the mark of a backend", () => {
  const web = service(80, [backend(11), backend(12)], { sorry: [backend(99)] });
  const mail = service(25, [backend(11, { port: 25 })]);

  it("is one of ours, for backends of the sorry pool too", () => {
    const all = [...marks([web, mail]).values()];
    expect(all).toHaveLength(4);
    for (const mark of all) expect((mark & NFT_MARK_MASK) >>> 0).toBe(NFT_MARK);
    expect(new Set(all).size).toBe(4);
  });

  it("stays the same whatever else there is, in whatever order, and however the backend is", () => {
    const before = marks([web, mail]);
    const after = marks([mail, { ...web, backends: [backend(12, { alive: false, weight: 7 }), backend(13)] }]);
    expect(after.get("80 10.2.0.12")).toBe(before.get("80 10.2.0.12"));
    expect(after.get("25 10.2.0.11")).toBe(before.get("25 10.2.0.11"));
  });

  it("is another one for the same backend of another service", () => {
    const twin = service(81, [backend(11)], { mode: "one-arm" });
    const both = marks([{ ...web, mode: "one-arm" }, twin]);
    expect(both.get("80 10.2.0.11")).not.toBe(both.get("81 10.2.0.11"));
  });

  it("is the next one where two hash alike", () => {
    // Found by trying: two backends whose texts have the same lower 24 bits.
    const seen = new Map<number, string>();
    let pair: readonly string[] | undefined;
    for (let i = 0; pair === undefined && i < 65_536; i++) {
      const address = `10.3.${i >> 8}.${i & 255}`;
      const number = hashText(`tcp 10.1.0.1:80 ${address}:80`) % 0x1000000;
      const twin = seen.get(number);
      if (twin !== undefined) pair = [twin, address];
      seen.set(number, address);
    }
    const backends = (pair ?? []).map((address) => backend(1, { address: ip(address) }));
    const [one, other] = markBackends([service(80, backends)])
      .map(({ mark }) => mark)
      .toSorted((a, b) => a - b);
    expect(other).toBe(one! + 1);
  });
});
