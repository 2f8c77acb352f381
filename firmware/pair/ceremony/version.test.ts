import { describe, expect, it } from "vitest";
import { failed, meet, sayYes } from "./ceremony.suite.ts";
import { releaseToTake } from "./version.ts";

describe("two boxes of different versions", () => {
  const here = { protocol: 1, release: "1.2.0" };

  it("and one protocol become a pair, and both know both releases, while the digits are compared and after", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    const [atInviter, atJoiner] = [
      { here, there: { protocol: 1, release: "1.2.1" } },
      { here: { protocol: 1, release: "1.2.1" }, there: here },
    ];
    expect([inviter.versions, joiner.versions]).toEqual([atInviter, atJoiner]);
    sayYes(cable, inviter, joiner);
    expect([inviter.ending, joiner.ending]).toMatchObject([{ versions: atInviter }, { versions: atJoiner }]);
  });

  it("know what the box that joins would have to take", () => {
    const versions = { here, there: { protocol: 1, release: "1.2.1" } };
    expect([releaseToTake("inviter", versions), releaseToTake("joiner", versions)]).toEqual(["1.2.0", "1.2.1"]);
    expect(releaseToTake("joiner", { here, there: here })).toBeUndefined();
  });

  const FOREIGN = '{"kind":"KIND","protocol":2,"release":"2.0.0","pake":"00"}';
  const versions = { here, there: { protocol: 2, release: "2.0.0" } };

  it("of which the joining one speaks another protocol: the inviter says which it speaks, and invites on", () => {
    const { inviter } = meet();
    inviter.connect(1);
    inviter.hearLine(1, FOREIGN.replace("KIND", "hello"));
    expect(inviter.sent).toEqual([{ kind: "version", protocol: 1, release: "1.2.0" }]);
    expect([inviter.phase, inviter.state, inviter.closed]).toMatchObject(["inviting", { wrongTries: 0 }, [1]]);
  });

  it("of which the inviter speaks another protocol: the joining one says both versions", () => {
    const { joiner } = meet();
    joiner.connect(1);
    joiner.hearLine(1, FOREIGN.replace("KIND", "offer"));
    const there = { ...versions, here: { protocol: 1, release: "1.2.1" } };
    expect(joiner.ending).toEqual({ ...failed("other-version", "here"), versions: there });
    expect(joiner.sent.at(-1)).toEqual({ kind: "version", protocol: 1, release: "1.2.1" });
  });

  it("of which the inviter said so: the joining one says both versions, too", () => {
    const { joiner } = meet();
    joiner.connect(1);
    joiner.hear(1, { kind: "version", protocol: 2, release: "2.0.0" });
    expect(joiner.ending).toMatchObject({ ...failed("other-version", "there"), versions: { there: versions.there } });
    expect(joiner.said).toEqual(["hello"]);
  });

  it("are none any more once the code was proven: such a word is out of its turn", () => {
    const { inviter, begin } = meet();
    begin();
    inviter.hearLine(1, FOREIGN.replace("KIND", "hello"));
    expect(inviter.ending).toEqual(failed("bad-message", "here"));
  });
});
