import { toHex } from "@futago/hal/units/bytes.ts";
import { describe, expect, it } from "vitest";
import { talkSecrets } from "../../runtime/core/pairing/primitives.ts";
import { CODE, failed, INVITER, JOINER, meet, PaperBox, sayYes } from "./ceremony.suite.ts";
import type { CeremonyMessage } from "./message.ts";

describe("two boxes whose persons agree", () => {
  it("become a pair with one key, two letters, each other's certificate and the inviter's seed", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    expect(inviter.digits).toMatch(/^\d{3} \d{3}$/);
    expect(joiner.digits).toBe(inviter.digits);
    sayYes(cable, inviter, joiner);
    const [a, b] = [inviter.kept[0]!, joiner.kept[0]!];
    expect(toHex(a.pairKey)).toMatch(/^[0-9a-f]{64}$/);
    expect(toHex(b.pairKey)).toBe(toHex(a.pairKey));
    expect(a).toMatchObject({ role: "inviter", letter: "a", certificate: "30aa", peerCertificate: "30bb" });
    expect(b).toMatchObject({ role: "joiner", letter: "b", certificate: "30bb", peerCertificate: "30aa" });
    expect([a.seed, b.seed]).toEqual([INVITER.seed, INVITER.seed]);
    expect(inviter.ending).toMatchObject({ kind: "paired", role: "inviter", letter: "a" });
    expect(joiner.ending).toMatchObject({ kind: "paired", role: "joiner", letter: "b" });
    expect([inviter.closed, joiner.closed]).toEqual([[1], [1]]);
  });

  it("say these words, in this order", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    sayYes(cable, joiner, inviter);
    expect(joiner.said).toEqual(["hello", "open", "proof", "agreed", "clock", "kept"]);
    expect(inviter.said).toEqual(["offer", "proof", "agreed", "clock", "kept"]);
  });

  it("give the one that joins a, where the inviter is b already", () => {
    const { inviter, joiner, cable, begin } = meet(JOINER, { ...INVITER, letter: "b" });
    begin();
    sayYes(cable, inviter, joiner);
    expect([inviter.kept[0]!.letter, joiner.kept[0]!.letter]).toEqual(["b", "a"]);
  });

  it("keep nothing before both have said yes, in whichever order", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    sayYes(cable, joiner);
    expect([inviter.kept, joiner.kept, joiner.phase, inviter.phase]).toEqual([[], [], "waiting", "comparing"]);
    sayYes(cable, inviter);
    expect([inviter.kept.length, joiner.kept.length]).toEqual([1, 1]);
  });

  it("have other digits and another key each time", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { inviter, joiner, cable, begin } = meet();
      begin();
      seen.add(inviter.digits ?? "");
      sayYes(cable, inviter, joiner);
      seen.add(toHex(inviter.kept[0]!.pairKey));
    }
    expect(seen.size).toBeGreaterThan(38);
  });
});

describe("a code", () => {
  it("that is wrong is refused three times, and then not even a right one serves", () => {
    const { inviter } = meet();
    for (const connection of [1, 2, 3]) {
      const stranger = new PaperBox();
      stranger.onSend = (_, message) => inviter.hear(connection, message);
      const before = inviter.sent.length;
      stranger.input({ kind: "join", party: { ...JOINER, code: { tag: "K7", secret: "000000" } } });
      stranger.input({ kind: "found", tag: "K7", place: "eth2", connection });
      inviter.connect(connection);
      stranger.connect(connection);
      stranger.hear(connection, inviter.sent[before]!);
      expect(inviter.said.at(-1)).toBe("refused wrong-code");
      expect(inviter.digits).toBeNull();
    }
    expect(inviter.ending).toEqual(failed("too-many-tries", "here"));
    inviter.connect(4);
    expect(inviter.said.at(-1)).toBe("refused too-many-tries");
    expect(inviter.closed.at(-1)).toBe(4);
  });

  it("that is wrong once does not end the invitation", () => {
    const { inviter, joiner, begin } = meet({ ...JOINER, code: { ...CODE, secret: "QM3XRQ" } });
    begin();
    expect(joiner.ending).toEqual(failed("wrong-code", "there"));
    expect([inviter.phase, inviter.state]).toMatchObject(["inviting", { wrongTries: 1 }]);
  });

  it("of another invitation is known by its tag, without a word that can be tried against the code", () => {
    const { inviter, joiner } = meet();
    joiner.state = new PaperBox().state;
    joiner.input({ kind: "join", party: { ...JOINER, code: { tag: "9Z", secret: "QM3XRP" } } });
    expect(joiner.input({ kind: "found", tag: "K7", place: "eth2", connection: 2 })).toEqual([]);
    joiner.pass(16);
    expect(joiner.ending).toEqual(failed("wrong-code", "here"));
    expect(inviter.state).toMatchObject({ kind: "inviting", wrongTries: 0 });
  });

  it("is valid for ten minutes, and whoever comes later hears that", () => {
    const { inviter } = meet();
    inviter.pass(599);
    expect(inviter.phase).toBe("inviting");
    inviter.pass(2);
    expect(inviter.ending).toEqual(failed("late-code", "here"));
    inviter.connect(1);
    expect(inviter.said).toEqual(["refused late-code"]);
  });

  it("that was proven in time may be finished late", () => {
    const { inviter, joiner, cable, begin } = meet();
    inviter.pass(595);
    begin();
    inviter.pass(60);
    sayYes(cable, inviter, joiner);
    expect(inviter.ending).toMatchObject({ kind: "paired" });
  });

  it("serves once: a third box is told so", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    sayYes(cable, inviter, joiner);
    inviter.connect(2);
    expect(inviter.said.at(-1)).toBe("refused used-code");
    expect(inviter.kept).toHaveLength(1);
  });

  it("has served, too, when the digits differed", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    joiner.input({ kind: "answered", yes: false });
    cable.run();
    expect(inviter.ending).toEqual(failed("digits-differ", "there"));
    expect(joiner.ending).toEqual(failed("digits-differ", "here"));
    inviter.connect(2);
    expect(inviter.said.at(-1)).toBe("refused used-code");
  });
});

describe("a third box", () => {
  it("that comes while two compare is busy's, and disturbs nothing", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    inviter.connect(2);
    expect(inviter.said.at(-1)).toBe("refused busy");
    inviter.hear(2, { kind: "agreed", sealed: "00" });
    inviter.input({ kind: "closed", connection: 2 });
    sayYes(cable, inviter, joiner);
    expect(inviter.ending).toMatchObject({ kind: "paired" });
  });
});

describe("a man in the middle who knows the code", () => {
  /** Two whole ceremonies, each with an end that is his, and his own shares in both. */
  function intrude() {
    const inviter = new PaperBox();
    const joiner = new PaperBox();
    const [asJoiner, asInviter] = [new PaperBox(), new PaperBox()];
    inviter.input({ kind: "invite", party: INVITER });
    asInviter.input({ kind: "invite", party: { ...INVITER, certificate: "30ee" } });
    joiner.input({ kind: "join", party: JOINER });
    asJoiner.input({ kind: "join", party: { ...JOINER, certificate: "30ee" } });
    for (const one of [joiner, asJoiner]) one.input({ kind: "found", tag: "K7", place: "eth2", connection: 1 });
    connect(inviter, asJoiner);
    connect(asInviter, joiner);
    return { inviter, joiner };
  }

  function connect(inviter: PaperBox, joiner: PaperBox): void {
    const waiting: (() => void)[] = [];
    inviter.onSend = (_, message) => waiting.push(() => joiner.hear(1, message));
    joiner.onSend = (_, message) => waiting.push(() => inviter.hear(1, message));
    inviter.connect(1);
    joiner.connect(1);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
  }

  it("is caught by the digits, every time of fifty", () => {
    for (let i = 0; i < 50; i++) {
      const { inviter, joiner } = intrude();
      expect([inviter.phase, joiner.phase]).toEqual(["comparing", "comparing"]);
      expect(joiner.digits).not.toBe(inviter.digits);
    }
  });

  it("cannot choose his share after he saw the other's: what was committed to is what must be opened", () => {
    const { inviter, joiner, cable, begin } = meet();
    const { share } = talkSecrets();
    cable.alter = (_, message) => (message.kind === "open" ? { ...message, share } : message);
    begin();
    expect(inviter.ending).toBeUndefined();
    expect(inviter.said).toEqual(["offer", "refused broken-commitment"]);
    expect(joiner.ending).toEqual(failed("broken-commitment", "there"));
  });

  it.each<[string, (message: CeremonyMessage) => CeremonyMessage]>([
    ["the inviter's certificate", (one) => (one.kind === "offer" ? { ...one, certificate: "30ee" } : one)],
    ["the inviter's letter", (one) => (one.kind === "offer" ? { ...one, letter: "b" } : one)],
    ["the inviter's nonce", (one) => (one.kind === "offer" ? { ...one, nonce: "00".repeat(32) } : one)],
    ["the joiner's release", (one) => (one.kind === "hello" ? { ...one, release: "0.0.1" } : one)],
  ])("who changes %s on the way is found out before anybody compares", (_, change) => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (_from, message) => change(message);
    begin();
    expect(inviter.said.at(-1)).toBe("refused wrong-code");
    expect([inviter.digits, joiner.digits, joiner.ending]).toEqual([null, null, failed("wrong-code", "there")]);
  });

  it("who answers for the inviter without the code is found out by the box that joins", () => {
    const { joiner, cable, begin } = meet();
    cable.alter = (from, message) =>
      from === "inviter" && message.kind === "proof" ? { ...message, proof: "00".repeat(32) } : message;
    begin();
    expect(joiner.ending).toEqual(failed("not-the-inviter", "here"));
  });

  it("cannot answer with the joiner's own proof", () => {
    const { joiner, cable, begin } = meet();
    cable.alter = (from, message) => {
      const own = joiner.sent.find(({ kind }) => kind === "proof");
      return from === "inviter" && message.kind === "proof" ? own : message;
    };
    begin();
    expect(joiner.ending).toEqual(failed("not-the-inviter", "here"));
  });

  it("cannot say yes for somebody", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    joiner.input({ kind: "answered", yes: true });
    inviter.hear(1, { kind: "agreed", sealed: "00".repeat(16) });
    cable.run();
    expect(inviter.ending).toEqual(failed("bad-message", "here"));
    expect(inviter.kept).toEqual([]);
  });

  it("cannot send a share that leads to a secret known to all", () => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (_, message) => (message.kind === "offer" ? { ...message, share: "00".repeat(32) } : message);
    begin();
    expect(joiner.ending).toEqual(failed("bad-message", "here"));
    expect(inviter.phase).toBe("inviting");
  });
});

describe("what goes wrong", () => {
  it("when nobody invites is told after fifteen seconds", () => {
    const box = new PaperBox();
    box.input({ kind: "join", party: JOINER });
    box.pass(14);
    expect(box.phase).toBe("joining");
    box.pass(1);
    expect(box.ending).toEqual(failed("no-invitation", "here"));
  });

  it("when a dialled box does not answer is a further search", () => {
    const box = new PaperBox();
    box.input({ kind: "join", party: JOINER });
    const found = { kind: "found", tag: "K7", place: "eth2" } as const;
    expect(box.input({ ...found, connection: 1 })).toEqual([{ kind: "dial", connection: 1, place: "eth2" }]);
    expect(box.input({ ...found, connection: 2 })).toEqual([]);
    box.input({ kind: "closed", connection: 1 });
    expect(box.input({ ...found, connection: 3 })).toEqual([{ kind: "dial", connection: 3, place: "eth2" }]);
  });

  it("when the cable breaks before the code was proven leaves the invitation as it was", () => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (_, message) => (message.kind === "offer" ? undefined : message);
    begin();
    for (const box of [inviter, joiner]) box.input({ kind: "closed", connection: 1 });
    expect(joiner.ending).toEqual(failed("went-away", "here"));
    expect(inviter.state).toMatchObject({ kind: "inviting", wrongTries: 0, conversation: undefined });
  });

  it("when nobody compares the digits is over after three minutes", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    inviter.pass(181);
    cable.run();
    expect(inviter.ending).toEqual(failed("not-answered", "here"));
    expect(joiner.ending).toEqual(failed("not-answered", "there"));
  });

  it("when somebody says nothing after hello frees the invitation for the next", () => {
    const { inviter } = meet();
    inviter.connect(1);
    inviter.pass(16);
    expect([inviter.phase, inviter.closed]).toEqual(["inviting", [1]]);
  });

  it("in what the inviter seals is no pairing", () => {
    const { inviter, joiner, cable, begin } = meet(JOINER, { ...INVITER, seed: "not a seed" });
    begin();
    sayYes(cable, joiner, inviter);
    expect([joiner.ending, joiner.kept]).toEqual([failed("bad-message", "here"), []]);
  });

  it("on the disk of the box that joins keeps nothing on either", () => {
    const { inviter, joiner, cable, begin } = meet();
    joiner.disk = false;
    begin();
    sayYes(cable, inviter, joiner);
    expect([inviter.kept, joiner.kept]).toEqual([[], []]);
    expect([joiner.ending, inviter.ending]).toEqual([failed("not-kept", "here"), failed("not-kept", "there")]);
  });

  it("on the inviter's disk undoes what the box that joins has kept", () => {
    const { inviter, joiner, cable, begin } = meet();
    inviter.disk = false;
    begin();
    sayYes(cable, inviter, joiner);
    expect([inviter.kept.length, joiner.kept.length, joiner.undone]).toEqual([0, 1, 1]);
    expect(joiner.ending).toEqual(failed("not-kept", "there"));
  });

  it("when the inviter's last word is lost undoes the box that joins, which says so", () => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (from, message) => (from === "inviter" && message.kind === "kept" ? undefined : message);
    begin();
    sayYes(cable, inviter, joiner);
    joiner.pass(16);
    expect([inviter.ending, joiner.ending]).toMatchObject([{ kind: "paired" }, failed("not-answered", "here")]);
    expect(joiner.undone).toBe(1);
  });

  it("by a person who thinks better of it ends it on both boxes", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    inviter.input({ kind: "cancel" });
    cable.run();
    expect([inviter.ending, joiner.ending]).toEqual([failed("cancelled", "here"), failed("cancelled", "there")]);
  });

  it.each<[string, string]>([
    ["no JSON", "hello"],
    ["an unknown word", '{"kind":"reboot"}'],
    ["a word out of its turn", '{"kind":"proof","proof":"' + "00".repeat(32) + '"}'],
  ])("as %s ends the conversation and not the invitation", (_, line) => {
    const { inviter } = meet();
    inviter.connect(1);
    inviter.hearLine(1, line);
    expect(inviter.said).toEqual(["refused bad-message"]);
    expect([inviter.phase, inviter.closed]).toEqual(["inviting", [1]]);
  });
});
