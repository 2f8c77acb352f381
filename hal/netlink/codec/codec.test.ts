import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RTPROT_FUTAGO } from "../../contract/network.ts";
import {
  addressFromBytes,
  type Ifindex,
  type Ifname,
  type Mac,
  parseInterfaceAddress,
  parseIpAddress,
} from "../../units/address.ts";
import { fromHex, toHex } from "../../units/bytes.ts";
import { requestBuilder } from "../request-builder.ts";
import { decodeAddress, encodeAddress } from "./address.ts";
import { readAttributes } from "./attributes.ts";
import { decodeConnection, encodeConnection, encodeConnectionFilter } from "./connection.ts";
import { decodeGeneration, decodeTracked, encodeMarkFilter } from "./conntrack.ts";
import { decodeEvents } from "./event.ts";
import { decodeLink, encodeLinkUp, encodeMacvlan } from "./link.ts";
import { decodeAcknowledgement, encodeMessage, errnoName, splitMessages } from "./message.ts";
import { decodeNeighbour, encodeManagedNeighbour } from "./neighbour.ts";
import { decodeRoutes, encodeRoute, encodeRouteDeletion } from "./route.ts";

const hex = (...parts: readonly string[]) => fromHex(parts.join("").replaceAll(" ", ""))!;
const ETH0 = 2 as Ifindex;
const on = (text: string) => parseInterfaceAddress(text)!;
const at = (text: string) => parseIpAddress(text)!;

describe("what the packet filter tells", () => {
  const mark = "0800 0800 46000001";
  const tcp = (state: string) => hex("02 00 0000", mark, "1000 0480 0c00 0180 0500 0100", state, "000000");
  const udp = (status: string) => hex("02 00 0000", "0800 0300", status, mark);

  test.each([
    ["a handshake under way is not open", tcp("01"), false],
    ["an established connection is", tcp("03"), true],
    ["one that waits for the other end to close is", tcp("05"), true],
    ["one that both have closed is not", tcp("07"), false],
    ["what nobody answered over UDP is not", udp("00000008"), false],
    ["what was answered is", udp("0000000a"), true],
  ])("%s", (_, payload, isOpen) => {
    expect(decodeTracked(payload)).toEqual({ mark: 0x46000001, isOpen });
  });

  test("the generation of the rules", () => {
    expect(decodeGeneration(hex("00 00 0000", "0800 0100 00000102"))).toBe(258);
  });

  test("nothing is made of an answer that lacks what it should tell, or of any other bytes", () => {
    expect(decodeTracked(hex("02 00 0000", "0800 0300 00000008"))).toBeUndefined();
    expect(decodeGeneration(hex("00 00 0000"))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decodeTracked(bytes);
        decodeGeneration(bytes);
      }),
    );
  });
});

describe("requests, byte by byte", () => {
  test("tracked connections by their mark, in network byte order", () => {
    const wanted = ["00 00 0000", "0800 0800 46000001", "0800 1500 ff000000"]; // CTA_MARK, CTA_MARK_MASK
    expect(toHex(encodeMarkFilter(0x46000001, 0xff000000))).toBe(toHex(hex(...wanted)));
  });

  test("an IPv4 address for pulse", () => {
    const options = { skipDuplicateDetection: true, noPrefixRoute: true };
    const wanted = [
      "30000000 1400 0105 00000000 00000000", // 48 bytes, RTM_NEWADDR, request + create + replace
      "02 18 02 00 02000000", // AF_INET, /24, IFA_F_NODAD, global, ifindex 2
      "0800 0200 0a010001", // IFA_LOCAL
      "0800 0100 0a010001", // IFA_ADDRESS
      "0800 0800 02020000", // IFA_FLAGS: NOPREFIXROUTE + NODAD
    ];
    const message = requestBuilder.addAddress(ETH0, on("10.1.0.1/24"), options);
    expect(toHex(message)).toBe(toHex(hex(...wanted)));
  });

  test("an IPv6 address that is never a source, for pulse", () => {
    const options = { skipDuplicateDetection: true, neverSource: true };
    const address = "fd000000000000000000000000000001";
    const wanted = [
      "5c000000 1400 0105 00000000 00000000", // 92 bytes, RTM_NEWADDR, request + create + replace
      "0a 40 02 00 02000000",
      `1400 0200 ${address}`,
      `1400 0100 ${address}`,
      "1400 0600 00000000 ffffffff 00000000 00000000", // IFA_CACHEINFO: preferred 0 s, valid for ever
      "0800 0800 02000000",
    ];
    expect(toHex(requestBuilder.addAddress(ETH0, on("fd00::1/64"), options))).toBe(toHex(hex(...wanted)));
  });

  test("the connections to an IPv4 address, of sockets of both families", () => {
    const wanted = [
      "02 06 00 00 3e1b0000", // AF_INET, TCP; states 1 to 5, 8, 9, 11 and 12
      "00".repeat(48),
      "1400 0100", // INET_DIAG_REQ_BYTECODE
      "07 10 1400", // source condition; yes goes to the end at 16, no past it
      "02 20 0000 ffffffff 0a020001", // AF_INET, /32, any port, 10.2.0.1
    ];
    expect(toHex(encodeConnectionFilter("ipv4", at("10.2.0.1")))).toBe(toHex(hex(...wanted)));
    expect(toHex(encodeConnectionFilter("ipv6", at("10.2.0.1")))).toBe(toHex(hex(...wanted)).replace(/^02/, "0a"));
  });

  test("the connections to an IPv6 address", () => {
    const program = "2000 0100 07 1c 2000 0a 80 0000 ffffffff fd000002000000000000000000000001";
    const wanted = hex("0a 06 00 00 3e1b0000", "00".repeat(48), program);
    expect(toHex(encodeConnectionFilter("ipv6", at("fd00:2::1")))).toBe(toHex(wanted));
  });

  test("one connection, as the kernel named it", () => {
    const id = "0050c001 0a020001000000000000000000000000 0a02000a000000000000000000000000 00000000 1122334455667788";
    const found = decodeConnection(hex("02 01 00 00", id, "00".repeat(20)))!;
    expect(toHex(encodeConnection(found))).toBe(toHex(hex("02 06 00 00 3e1b0000", id)));
    expect(decodeConnection(hex("02 01 00 00", id).subarray(0, 51))).toBeUndefined();
    expect(decodeConnection(hex("01 01 00 00", id))).toBeUndefined();
  });

  test("an IPv6 address taken away for pulse", () => {
    const address = "fd000000000000000000000000000001";
    const wanted = [
      "40000000 1500 0100 00000000 00000000", // 64 bytes, RTM_DELADDR, request
      "0a 40 00 00 02000000",
      `1400 0200 ${address}`,
      `1400 0100 ${address}`,
    ];
    expect(toHex(requestBuilder.deleteAddress(ETH0, on("fd00::1/64")))).toBe(toHex(hex(...wanted)));
  });

  test("a link set up and down", () => {
    expect(toHex(encodeLinkUp(ETH0, true))).toBe("00000000020000000100000001000000");
    expect(toHex(encodeLinkUp(ETH0, false))).toBe("00000000020000000000000001000000");
  });

  test("a macvlan in bridge mode", () => {
    const wanted = [
      "00000000 00000000 00000000 00000000",
      "0900 0300 7672313000 000000", // IFLA_IFNAME "vr10"
      "0a00 0100 00005e00010a 0000", // IFLA_ADDRESS
      "0800 0500 02000000", // IFLA_LINK
      "1c00 1200", // IFLA_LINKINFO
      "0c00 0100 6d6163766c616e00", // IFLA_INFO_KIND "macvlan"
      "0c00 0200 0800 0100 04000000", // IFLA_INFO_DATA: IFLA_MACVLAN_MODE bridge
    ];
    expect(toHex(encodeMacvlan(ETH0, "vr10" as Ifname, "00:00:5e:00:01:0a" as Mac))).toBe(toHex(hex(...wanted)));
  });

  test("the default route, a route with host bits, one through the other family, and a deletion", () => {
    const head = (start: string, protocolScope: string) => `${start} 0000 fe ${protocolScope} 01 00000000`;
    const ipv4 = { family: "ipv4", ifindex: ETH0, metric: 7 } as const;
    const tail = "0800 0400 02000000 0800 0600 07000000"; // RTA_OIF, RTA_PRIORITY
    const rows = [
      [{ ...ipv4, destination: undefined, via: at("10.1.0.254") }, head("02 00", "cd 00"), "0800 0500 0a0100fe"],
      [{ ...ipv4, destination: on("10.9.8.7/20"), via: undefined }, head("02 14", "cd fd"), "0800 0100 0a090000"],
      [{ ...ipv4, destination: undefined, via: at("fe80::1") }, head("02 00", "cd 00"), VIA_FE80_1],
    ] as const;
    for (const [route, header, attributes] of rows)
      expect(toHex(encodeRoute(route))).toBe(toHex(hex(header, attributes, tail)));
    const deletion = { ...ipv4, destination: undefined, via: undefined, ifindex: undefined };
    expect(toHex(encodeRouteDeletion(deletion))).toBe(toHex(hex(head("02 00", "cd ff"), "0800 0600 07000000")));
  });

  test("a managed neighbour", () => {
    const wanted = "02000000 02000000 0000 00 00 0800 0100 0a01000b 0800 0f00 01000000";
    expect(toHex(encodeManagedNeighbour(ETH0, at("10.1.0.11")))).toBe(toHex(hex(wanted)));
  });
});

/** RTA_VIA: family AF_INET6, then the address; 22 bytes and 2 of padding. */
const VIA_FE80_1 = "1600 1200 0a00 fe800000000000000000000000000001 0000";

describe("what the kernel says, byte by byte", () => {
  const LINK = [
    "00 00 0100 02000000 43100100 00000000", // AF_UNSPEC, Ethernet, ifindex 2, UP BROADCAST RUNNING MULTICAST LOWER_UP
    "0900 0300 6574683000 000000", // eth0
    "0a00 0100 020000000001 0000",
    "0800 0400 dc050000", // MTU 1500
    "0800 0a00 05000000", // IFLA_MASTER 5
    "0500 1000 06 000000", // operstate up
    "0500 2100 01 000000", // carrier
    "1000 1200 0900 0100 7665746800 000000", // linkinfo, kind "veth"
  ];

  test("a link", () => {
    expect(decodeLink(hex(...LINK))).toEqual({
      ifindex: 2,
      ifname: "eth0",
      mac: "02:00:00:00:00:01",
      mtu: 1500,
      up: true,
      carrier: true,
      operstate: "up",
      kind: "veth",
      upper: 5,
    });
  });

  test("a tunnel has no Ethernet address; an operstate of tomorrow is unknown", () => {
    const tunnel = hex(LINK[0]!, LINK[1]!, "0800 0100 0a010001", "0500 1000 63 000000");
    expect(decodeLink(tunnel)).toMatchObject({ mac: undefined, operstate: "unknown", carrier: true, kind: undefined });
  });

  test("a bridge's word about its port is no word about the link (a port leaving looks like RTM_DELLINK)", () => {
    const bridge = hex("07", LINK.join("").slice(2));
    expect(decodeLink(bridge)).toBeUndefined();
    expect(decodeEvents(encodeMessage({ type: 17, flags: 0, sequence: 0, payload: bridge }))).toEqual([]);
    const gone = encodeMessage({ type: 17, flags: 0, sequence: 0, payload: hex(...LINK) });
    expect(decodeEvents(gone)).toEqual([{ kind: "linkGone", ifindex: 2, ifname: "eth0" }]);
  });

  test("an address: ours is IFA_LOCAL where the other end has one too", () => {
    const entry = hex("02 20 80 00 03000000", "0800 0100 0a010002", "0800 0200 0a010001", "0800 0800 80020000");
    const flags = 0x280;
    expect(decodeAddress(entry)).toEqual({ ifindex: 3, address: "10.1.0.1", prefixLength: 32, scope: "global", flags });
    const linkLocal = hex("0a 40 80 fd 03000000", "1400 0100 fe800000000000000000000000000001");
    expect(decodeAddress(linkLocal)).toMatchObject({ address: "fe80::1", prefixLength: 64, scope: "link", flags: 128 });
    expect(decodeAddress(hex("02 21 80 00 03000000", "0800 0200 0a010001"))).toBeUndefined();
  });

  test("a route with two next hops is two routes", () => {
    const hop = (index: string, gateway: string) => `1000 00 00 ${index} 0800 0500 ${gateway}`;
    const hops = `2400 0900 ${hop("02000000", "0a0100fe")} ${hop("03000000", "0a0200fe")}`;
    const route = hex("02 10 0000 fe 03 00 01 00000000", "0800 0100 0a090000", hops);
    const shared = { family: "ipv4", destination: on("10.9.0.0/16"), metric: 0, protocol: 3 };
    expect(decodeRoutes(route)).toEqual([
      { ...shared, via: "10.1.0.254", ifindex: 2 },
      { ...shared, via: "10.2.0.254", ifindex: 3 },
    ]);
  });

  test("routes of other tables, local ones, blackholes and cached ones are none of ours", () => {
    const attributes = "0800 0100 0a090000 0800 0400 02000000";
    const rows = [
      ["02 10 0000 fe 03 00 01 00000000", 1],
      ["02 10 0000 ff 02 fe 02 00000000", 0], // local table and type
      ["02 10 0000 fe 03 00 06 00000000", 0], // blackhole
      ["02 10 0000 fe 03 00 01 00020000", 0], // RTM_F_CLONED
      ["02 21 0000 fe 03 00 01 00000000", 0], // a prefix of 33 bits
      ["07 10 0000 fe 03 00 01 00000000", 0], // another family
    ] as const;
    for (const [header, count] of rows) expect(decodeRoutes(hex(header, attributes))).toHaveLength(count);
    // Tables above 255 stand in RTA_TABLE, which overrules the byte.
    const table1000 = "0800 0f00 e8030000";
    expect(decodeRoutes(hex(rows[0][0], attributes, table1000))).toEqual([]);
  });

  test("a managed neighbour", () => {
    const bytes = "02000000 02000000 0200 00 01 0800 0100 0a01000b 0a00 0200 02000000000b 0000 0800 0f00 01000000";
    const mac = "02:00:00:00:00:0b";
    expect(decodeNeighbour(hex(bytes))).toEqual({ ifindex: 2, address: "10.1.0.11", mac, state: 2, managed: true });
    // A bridge's forwarding entry has the same message.
    expect(decodeNeighbour(hex("07", bytes.replaceAll(" ", "").slice(2)))).toBeUndefined();
  });
});

describe("acknowledgements", () => {
  const QUOTED = "24000000 1000 0500 01000000 00000000";
  /** "No such thing", with its zero: 14 bytes, and 2 of padding. */
  const TEXT = "1200 0100 4e6f2073756368207468696e6700 0000";
  const ack = (flags: number, ...parts: string[]) => ({ type: 2, flags, sequence: 1, payload: hex(...parts) });

  test("done", () => {
    expect(decodeAcknowledgement(ack(0x100, "00000000", QUOTED))).toEqual({ code: undefined, text: undefined });
  });

  test("refused, in the kernel's words, with the request quoted in part or whole", () => {
    const refusal = { code: "ENODEV", text: "No such thing" };
    expect(decodeAcknowledgement(ack(0x300, "edffffff", QUOTED, TEXT))).toEqual(refusal);
    const body = "00".repeat(20);
    expect(decodeAcknowledgement(ack(0x200, "edffffff", QUOTED, body, TEXT))).toEqual(refusal);
  });

  test("refused without a word, the errno's meaning stands in", () => {
    const refusal = { code: "ENODEV", text: "no such device" };
    expect(decodeAcknowledgement(ack(0x100, "edffffff", QUOTED))).toEqual(refusal);
  });

  test("the end of a dump that failed", () => {
    const done = { type: 3, flags: 0x202, sequence: 1, payload: hex("eaffffff", TEXT) };
    expect(decodeAcknowledgement(done, true)).toEqual({ code: "EINVAL", text: "No such thing" });
  });

  test("errnos by the names people look for", () => {
    expect([1, 11, 95, 99, 105, 524, 999].map(errnoName)).toEqual([
      "EPERM",
      "EAGAIN",
      "ENOTSUP",
      "EADDRNOTAVAIL",
      "ENOBUFS",
      "ENOTSUP",
      "E999",
    ]);
  });
});

describe("bytes that nobody should send", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 256 }), almostMessage());

  test("no decoder throws, whatever it is given", () => {
    fc.assert(
      fc.property(bytes, (garbage) => {
        decodeLink(garbage);
        decodeAddress(garbage);
        decodeRoutes(garbage);
        decodeNeighbour(garbage);
        decodeConnection(garbage);
        decodeEvents(garbage);
        readAttributes(garbage);
        for (const message of [...splitMessages(garbage), { type: 2, flags: 0x200, sequence: 0, payload: garbage }]) {
          decodeAcknowledgement(message);
          decodeAcknowledgement(message, true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("a message cut anywhere gives the messages before it", () => {
    const whole = requestBuilder.addAddress(ETH0, on("10.1.0.1/24"));
    for (let length = 0; length < whole.length; length++) {
      const cut = new Uint8Array([...whole, ...whole.subarray(0, length)]);
      expect(splitMessages(cut)).toHaveLength(1);
    }
    // A length of zero must not be read for ever.
    expect(splitMessages(new Uint8Array(64))).toEqual([]);
    expect(readAttributes(new Uint8Array(64)).size).toBe(0);
  });
});

/** Messages with true headers and plausible types, and contents that may be anything. */
function almostMessage() {
  const header = fc.record({ type: fc.integer({ min: 16, max: 31 }), flags: fc.constantFrom(0, 2, 0x100, 0x200) });
  const start = fc.constantFrom("00000100 02000000", "02180000 02000000", "02100000 fe030001", "0a000000 02000000");
  const attributes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 24 })));
  return fc.tuple(header, start, attributes, fc.uint8Array({ maxLength: 16 })).map(([head, fixed, list, tail]) => {
    const parts = list.map(([type, value]) => toHex(new Uint8Array([value.length + 4, 0, type, 0, ...value])));
    return encodeMessage({ ...head, sequence: 0, payload: hex(fixed, "0000000000000000", ...parts, toHex(tail)) });
  });
}

describe("what was encoded is decoded again", () => {
  const anyAddress = fc
    .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
    .map((value) => addressFromBytes(value)!);
  const anyIndex = fc.integer({ min: 1, max: 0x7fffffff }).map((value) => value as Ifindex);
  const anyInterfaceAddress = fc
    .tuple(anyAddress, fc.nat(128))
    .map(([address, bits]) => ({ address, prefixLength: bits % (address.includes(":") ? 129 : 33) }));

  test("addresses", () => {
    fc.assert(
      fc.property(anyIndex, anyInterfaceAddress, fc.boolean(), fc.boolean(), (ifindex, value, dad, prefixRoute) => {
        const options = { skipDuplicateDetection: !dad, noPrefixRoute: !prefixRoute };
        const flags = (dad ? 0 : 0x02) | (prefixRoute ? 0 : 0x200);
        const entry = { ifindex, ...value, scope: "global", flags };
        expect(decodeAddress(encodeAddress(ifindex, value, options))).toEqual(entry);
      }),
    );
  });

  test("routes and neighbours", () => {
    fc.assert(
      fc.property(anyIndex, anyAddress, anyAddress, fc.nat(0xffff), (ifindex, address, via, metric) => {
        const family = address.includes(":") ? ("ipv6" as const) : ("ipv4" as const);
        const destination = { address, prefixLength: family === "ipv6" ? 128 : 32 };
        const route = { family, destination, via, ifindex, metric };
        expect(decodeRoutes(encodeRoute(route))).toEqual([{ ...route, protocol: RTPROT_FUTAGO }]);
        const neighbour = { ifindex, address, mac: undefined, state: 0, managed: true };
        expect(decodeNeighbour(encodeManagedNeighbour(ifindex, address))).toEqual(neighbour);
      }),
    );
  });
});
