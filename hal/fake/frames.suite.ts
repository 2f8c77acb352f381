/** What hal/contract/network.ts promises of Frames, as tests that the fake and the real kernel both pass. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Frames, FrameSocketOptions, ReceivedFrame } from "../contract/network.ts";
import type { Ifindex } from "../units/address.ts";
import { fromHex, toHex } from "../units/bytes.ts";

/** Two boxes with one cable between them. */
export interface FramesUnderTest {
  readonly box: Frames;
  readonly boxLink: Ifindex;
  readonly peer: Frames;
  readonly peerLink: Ifindex;
  /** The box's link goes away while it is up. */
  removeBoxLink(): Promise<void>;
  destroy(): Promise<void>;
}

const BROADCAST = "ffffffffffff";
const OUR_MAC = "020000000001";
/** A gratuitous ARP request for 10.1.0.1, written by hand. */
export const ARP = join(BROADCAST, OUR_MAC, "0806", "0001080006040001", "0200000000010a010001", "0000000000000a010001");
/** A neighbour advertisement to all nodes: ICMPv6 type 136. */
const NA = join("333300000001", OUR_MAC, "86dd", ipv6("3a", "88000000", "00".repeat(20)));
/** A neighbour solicitation, and the types just outside of neighbour discovery. */
const NS = join("333300000001", OUR_MAC, "86dd", ipv6("3a", "87000000", "00".repeat(20)));
const MLD_DONE = join("333300000001", OUR_MAC, "86dd", ipv6("3a", "84000000", "00".repeat(20)));
const RENUMBERING = join("333300000001", OUR_MAC, "86dd", ipv6("3a", "8a000000", "00".repeat(20)));
const ADVERTISEMENT = "310a640100640000";
const VRRP4_MAC = join("01005e000012", OUR_MAC, "0800");
export const VRRP4 = join(VRRP4_MAC, "45c0001c00000000ff7000000a010002e0000012", ADVERTISEMENT);
/** Header length 6: a router alert option stands before the VRRP message. */
const VRRP4_OPTIONS = join(VRRP4_MAC, "46c0002000000000ff7000000a010002e0000012", "94040000", ADVERTISEMENT);
const VRRP6 = join("333300000012", OUR_MAC, "86dd", ipv6("70", ADVERTISEMENT));
/** TCP, with 112 where an IPv6 next header would stand. */
const TCP4 = join(BROADCAST, OUR_MAC, "0800", "450000287070000040060000", "0a0100020a010001", "00".repeat(20));
const VLAN_ARP = ARP.replace("0806", "810000050806");
const EVERYTHING = [ARP, NA, NS, MLD_DONE, RENUMBERING, VRRP4, VRRP4_OPTIONS, VRRP6, TCP4, VLAN_ARP];

export function describeFrames(name: string, make: () => Promise<FramesUnderTest>): void {
  describe(`Frames: ${name}`, () => {
    let machine: FramesUnderTest;
    let heard: ReceivedFrame[];
    let errors: Error[];

    beforeEach(async () => {
      machine = await make();
      heard = [];
      errors = [];
    });
    afterEach(() => machine.destroy());

    const listen = (frames: Frames, ifindex: Ifindex, receive: FrameSocketOptions["receive"]) =>
      frames.open({
        ifindex,
        receive,
        onFrame: (frame) => heard.push(frame),
        onError: (error) => errors.push(error),
      });
    const sender = () => listen(machine.peer, machine.peerLink, "none");
    const heardHex = () => heard.map((frame) => toHex(frame.bytes));
    const kinds = [
      { receive: "arp", expected: [ARP] },
      { receive: "nd", expected: [NA, NS] },
      { receive: "vrrp", expected: [VRRP4, VRRP4_OPTIONS, VRRP6] },
    ] as const;

    test.each(kinds)("$receive hears its own protocol and nothing else", async ({ receive, expected }) => {
      const socket = listen(machine.box, machine.boxLink, receive);
      const peer = sender();
      for (const frame of EVERYTHING) peer.send(bytes(frame));
      // When a mark is heard, whatever was sent before it has been heard or refused.
      const marks = [ARP, NA, VRRP4].map((frame) => `${frame}feed`);
      for (const mark of marks) peer.send(bytes(mark));
      await vi.waitFor(() => expect(heardHex().some((frame) => marks.includes(frame))).toBe(true));
      expect(heardHex().filter((frame) => EVERYTHING.includes(frame))).toEqual(expected);
      for (const frame of heard) expect(frame).toMatchObject({ ifindex: machine.boxLink, outgoing: false });
      for (const each of [socket, peer]) each.close();
    });

    test("our own frames are seen on their way out by arp and nd, not by vrrp nor by the socket that sent", async () => {
      const sockets = kinds.map(({ receive }) => listen(machine.peer, machine.peerLink, receive));
      const peer = sender();
      for (const frame of [VRRP4, ARP, NA]) peer.send(bytes(frame));
      await vi.waitFor(() => expect(heardHex()).toEqual(expect.arrayContaining([ARP, NA])));
      sockets[0]!.send(bytes(ARP));
      peer.send(bytes(`${ARP}feed`));
      await vi.waitFor(() => expect(heardHex()).toContain(`${ARP}feed`));
      expect(heardHex().toSorted()).toEqual([ARP, NA, `${ARP}feed`].toSorted());
      expect(heard.every((frame) => frame.outgoing)).toBe(true);
      for (const each of [...sockets, peer]) each.close();
    });

    test("a socket closes in its own callback, closes twice, hears and sends nothing more", async () => {
      let calls = 0;
      const socket = machine.box.open({
        ifindex: machine.boxLink,
        receive: "arp",
        onFrame: () => {
          calls++;
          socket.close();
          socket.close();
        },
      });
      const other = listen(machine.box, machine.boxLink, "arp");
      const peer = sender();
      for (let i = 0; i < 10; i++) peer.send(bytes(ARP));
      await vi.waitFor(() => expect(heard).toHaveLength(10));
      expect(calls).toBe(1);
      expect(() => socket.send(bytes(ARP))).toThrow(/^send\(AF_PACKET\): .*\(EBADF\)$/);
      for (const each of [other, peer]) each.close();
    });

    test("a link that is not there is refused", () => {
      const open = () => listen(machine.box, 99_999 as Ifindex, "arp");
      expect(open).toThrow(/^bind\(AF_PACKET\): .*\(ENODEV\)$/);
    });

    test("a link that goes away closes its sockets and says so once", async () => {
      const socket = listen(machine.box, machine.boxLink, "arp");
      await machine.removeBoxLink();
      await vi.waitFor(() => expect(errors).toMatchObject([{ code: "ENODEV", syscall: "recvmmsg(AF_PACKET)" }]));
      expect(() => socket.send(bytes(ARP))).toThrow("EBADF");
      socket.close();
      expect(errors).toHaveLength(1);
    });
  });
}

export function bytes(hex: string): Uint8Array {
  return fromHex(hex)!;
}

function join(...parts: readonly string[]): string {
  return parts.join("");
}

/** To ff02::12; nobody here looks at the address. */
function ipv6(nextHeader: string, ...payload: readonly string[]): string {
  const length = (join(...payload).length / 2).toString(16).padStart(4, "0");
  const [from, to] = ["fe800000000000000000000000000001", "ff020000000000000000000000000012"];
  return join("60000000", length, nextHeader, "ff", from, to, ...payload);
}
