/** What hal/contract/network.ts promises of Icmp, as tests that the fake and the real kernel both pass. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Icmp, IcmpReply } from "../contract/network.ts";
import { type Family, parseIpAddress } from "../units/address.ts";

export interface IcmpUnderTest {
  readonly icmp: Icmp;
  destroy(): Promise<void>;
}

const at = (text: string) => parseIpAddress(text)!;

/** 10.0.0.2 and fd00::2 answer; 10.0.0.99 and fd00::99 are on the link and silent; nothing else can be reached. */
const families: readonly { family: Family; near: string; silent: string; nowhere: string; alien: string }[] = [
  { family: "ipv4", near: "10.0.0.2", silent: "10.0.0.99", nowhere: "192.0.2.1", alien: "fd00::2" },
  { family: "ipv6", near: "fd00::2", silent: "fd00::99", nowhere: "2001:db8::1", alien: "10.0.0.2" },
];

export function describeIcmp(name: string, make: () => Promise<IcmpUnderTest>): void {
  describe.each(families)(`Icmp: ${name}, $family`, ({ family, near, silent, nowhere, alien }) => {
    let machine: IcmpUnderTest;
    let replies: IcmpReply[];

    beforeEach(async () => {
      machine = await make();
      replies = [];
    });
    afterEach(() => machine.destroy());
    const open = () => machine.icmp.open(family, (reply) => replies.push(reply));

    test("a reply tells who answered, and the identifier and sequence of the question", async () => {
      const socket = open();
      socket.sendEcho(at(silent), 1, 1);
      socket.sendEcho(at(near), 0xabcd, 65_535);
      await vi.waitFor(() => expect(replies).toMatchObject([{ from: near, id: 0xabcd, sequence: 65_535 }]));
      socket.close();
    });

    test("identifier and sequence are taken modulo 65,536", async () => {
      const socket = open();
      socket.sendEcho(at(near), 65_536 + 5, 65_536 * 3 + 6);
      await vi.waitFor(() => expect(replies).toMatchObject([{ id: 5, sequence: 6 }]));
      socket.close();
    });

    test("what no route leads to is refused at once, and so is the other family", () => {
      const socket = open();
      expect(() => socket.sendEcho(at(nowhere), 1, 1)).toThrow(/^sendmsg\(SOCK_RAW\): .*\(ENETUNREACH\)$/);
      expect(() => socket.sendEcho(at(alien), 1, 1)).toThrow(/\(EAFNOSUPPORT\)$/);
      socket.close();
    });

    test("a socket closes in its own callback, closes twice, hears and sends nothing more", async () => {
      let heard = 0;
      const socket = machine.icmp.open(family, () => {
        heard++;
        socket.close();
        socket.close();
      });
      const other = open();
      for (let i = 0; i < 5; i++) other.sendEcho(at(near), 3, i);
      await vi.waitFor(() => expect(replies).toHaveLength(5));
      expect(heard).toBe(1);
      expect(() => socket.sendEcho(at(near), 1, 1)).toThrow(/\(EBADF\)$/);
      other.close();
    });
  });
}
