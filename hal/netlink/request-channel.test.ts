import { describe, expect, test } from "vitest";
import { HalError } from "../contract/error.ts";
import { encodeMessage, type Message, splitMessages } from "./codec/message.ts";
import { RequestChannel } from "./request-channel.ts";

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const DUMP_INTR = 0x10;
const EMPTY = new Uint8Array();

/** A kernel that answers when it is told to. */
function scripted() {
  const datagrams: (readonly Message[])[] = [];
  const channel = new RequestChannel((datagram) => datagrams.push(splitMessages(datagram)));
  const answer = (sequence: number, type: number, { errno = 0, flags = 0 } = {}) => {
    const payload = new Uint8Array(20);
    new DataView(payload.buffer).setInt32(0, -errno, true);
    channel.receive(encodeMessage({ type, flags, sequence, payload }));
  };
  const sent = () => datagrams.flat();
  return { channel, datagrams, sent, answer };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("requests", () => {
  test("of one moment share a datagram, are acknowledged in any order, and never share a number", async () => {
    const { channel, datagrams, sent, answer } = scripted();
    const outcomes: string[] = [];
    for (const name of ["a", "b", "c"])
      void channel.request("RTM_NEWADDR", EMPTY).then(
        () => outcomes.push(name),
        (error: HalError) => outcomes.push(`${name} ${error.code} ${error.syscall}`),
      );
    await settled();
    expect(datagrams).toHaveLength(1);
    const numbers = sent().map((message) => message.sequence);
    expect(new Set(numbers).size).toBe(3);
    expect(numbers).not.toContain(0);
    answer(numbers[2]!, NLMSG_ERROR);
    await settled();
    answer(numbers[0]!, NLMSG_ERROR, { errno: 19 });
    await settled();
    answer(12_345, NLMSG_ERROR);
    answer(numbers[1]!, NLMSG_ERROR);
    await settled();
    expect(outcomes).toEqual(["c", "a ENODEV RTM_NEWADDR", "b"]);
  });

  test("beyond the window of 64 wait for an acknowledgement", async () => {
    const { channel, sent, answer } = scripted();
    const all = Promise.all(Array.from({ length: 100 }, () => channel.request("RTM_NEWADDR", EMPTY)));
    await settled();
    expect(sent()).toHaveLength(64);
    answer(sent()[5]!.sequence, NLMSG_ERROR);
    expect(sent()).toHaveLength(65);
    for (let i = 0; i < sent().length; i++) if (i !== 5) answer(sent()[i]!.sequence, NLMSG_ERROR);
    expect(sent()).toHaveLength(100);
    await all;
  });

  test("that cannot be sent are refused with the reason, and the next ones are tried", async () => {
    let full = true;
    const channel = new RequestChannel(() => {
      if (full) throw new HalError("ENOBUFS", "sendto(AF_NETLINK)", "No buffer space available");
    });
    await expect(channel.request("RTM_NEWADDR", EMPTY)).rejects.toMatchObject({ code: "ENOBUFS" });
    full = false;
    const second = channel.request("RTM_NEWADDR", EMPTY);
    await settled();
    channel.receive(encodeMessage({ type: NLMSG_ERROR, flags: 0, sequence: 2, payload: new Uint8Array(20) }));
    await second;
  });

  test("are all refused when answers were lost, as nobody knows which were carried out", async () => {
    const { channel, answer, sent } = scripted();
    const requests = Array.from({ length: 70 }, () => channel.request("RTM_NEWADDR", EMPTY));
    const outcomes = Promise.allSettled(requests);
    await settled();
    channel.fail("ENOBUFS", "the kernel's answer was lost");
    expect((await outcomes).every((outcome) => outcome.status === "rejected")).toBe(true);
    const next = channel.request("RTM_NEWADDR", EMPTY);
    await settled();
    answer(sent().at(-1)!.sequence, NLMSG_ERROR);
    await next;
  });

  test("under way are refused when the channel closes, and so are later ones", async () => {
    const { channel } = scripted();
    const request = channel.request("RTM_NEWADDR", EMPTY);
    channel.close();
    await expect(request).rejects.toMatchObject({ code: "ECANCELED" });
    await expect(channel.request("RTM_NEWADDR", EMPTY)).rejects.toMatchObject({ code: "EBADF" });
    await expect(channel.dump("RTM_GETLINK", EMPTY)).rejects.toMatchObject({ code: "EBADF" });
  });
});

describe("dumps", () => {
  const entry = 16;

  test("run one after the other and collect their own entries", async () => {
    const { channel, sent, answer } = scripted();
    const links = channel.dump("RTM_GETLINK", EMPTY);
    const routes = channel.dump("RTM_GETROUTE", EMPTY);
    await settled();
    expect(sent()).toHaveLength(1);
    const first = sent()[0]!.sequence;
    for (let i = 0; i < 3; i++) answer(first, entry);
    answer(first, NLMSG_DONE);
    expect((await links).filter((message) => message.type === entry)).toHaveLength(3);
    await settled();
    expect(sent()).toHaveLength(2);
    answer(sent()[1]!.sequence, NLMSG_DONE);
    expect((await routes).filter((message) => message.type === entry)).toEqual([]);
  });

  test.each([entry, NLMSG_DONE])("disturbed by a change are repeated, and the torn list is forgotten", async (type) => {
    const { channel, sent, answer } = scripted();
    const list = channel.dump("RTM_GETADDR", EMPTY);
    await settled();
    answer(sent()[0]!.sequence, entry);
    answer(sent()[0]!.sequence, entry);
    answer(sent()[0]!.sequence, type, { flags: DUMP_INTR });
    if (type === entry) answer(sent()[0]!.sequence, NLMSG_DONE);
    await settled();
    expect(sent()).toHaveLength(2);
    answer(sent()[1]!.sequence, entry);
    answer(sent()[1]!.sequence, NLMSG_DONE);
    expect((await list).filter((message) => message.type === entry)).toHaveLength(1);
  });

  test("disturbed every time are given up", async () => {
    const { channel, sent, answer } = scripted();
    const list = channel.dump("RTM_GETADDR", EMPTY).catch((error: unknown) => error);
    for (let i = 0; i < 32; i++) {
      await settled();
      answer(sent()[i]!.sequence, NLMSG_DONE, { flags: DUMP_INTR });
    }
    expect(await list).toMatchObject({ code: "EAGAIN", syscall: "RTM_GETADDR" });
    expect(sent()).toHaveLength(32);
  });

  test("that fail do not hold up the next", async () => {
    const { channel, sent, answer } = scripted();
    const first = channel.dump("RTM_GETROUTE", EMPTY).catch((error: unknown) => error);
    const second = channel.dump("RTM_GETROUTE", EMPTY);
    await settled();
    answer(sent()[0]!.sequence, NLMSG_DONE, { errno: 22 });
    expect(await first).toMatchObject({ code: "EINVAL", syscall: "RTM_GETROUTE" });
    await settled();
    answer(sent()[1]!.sequence, NLMSG_DONE);
    await second;
  });
});
