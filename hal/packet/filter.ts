/**
 * Classic BPF programs that choose the frames a packet socket receives. A frame that carries a VLAN tag belongs to the
 * VLAN's own link, though the kernel shows it on the port below with its tag taken off: it is refused here.
 * @see bpf(4) of the BSDs, linux/filter.h, Documentation/networking/filter.rst
 */
import { writeU16, writeU32 } from "../netlink/codec/attributes.ts";

/** Operation, jump when true, jump when false, operand: struct sock_filter. Jumps count the instructions skipped. */
type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

/** Frames are cut at this length; it is the buffer's in the addon. */
const SNAPSHOT_BYTES = 2048;
/** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT. */
const VLAN_TAG_PRESENT = 0xfffff000 + 48;

const loadByte = (at: number): Instruction => [0x30, 0, 0, at];
const loadHalf = (at: number): Instruction => [0x28, 0, 0, at];
const loadWord = (at: number): Instruction => [0x20, 0, 0, at];
const equal = (value: number, whenTrue: number, whenFalse: number): Instruction => [0x15, whenTrue, whenFalse, value];
const above = (value: number, whenTrue: number, whenFalse: number): Instruction => [0x25, whenTrue, whenFalse, value];
const atLeast = (value: number, whenTrue: number, whenFalse: number): Instruction => [0x35, whenTrue, whenFalse, value];
const accept: Instruction = [0x06, 0, 0, SNAPSHOT_BYTES];
const reject: Instruction = [0x06, 0, 0, 0];

const ETHERTYPE = 12;
const IPV4_PROTOCOL = 14 + 9;
const IPV6_NEXT_HEADER = 14 + 6;
const ICMPV6_TYPE = 14 + 40;

/** EtherType 0806. */
export const arpFilter = assemble([
  loadWord(VLAN_TAG_PRESENT),
  equal(0, 0, 3),
  loadHalf(ETHERTYPE),
  equal(0x0806, 0, 1),
  accept,
  reject,
]);

/** ICMPv6 types 133 to 137 (RFC 4861), which nothing may put behind extension headers that we would honour. */
export const ndFilter = assemble([
  loadWord(VLAN_TAG_PRESENT),
  equal(0, 0, 8),
  loadHalf(ETHERTYPE),
  equal(0x86dd, 0, 6),
  loadByte(IPV6_NEXT_HEADER),
  equal(58, 0, 4),
  loadByte(ICMPV6_TYPE),
  atLeast(133, 0, 2),
  above(137, 1, 0),
  accept,
  reject,
]);

/** Protocol 112 of either family. The protocol stands in the fixed part of the header: IPv4 options do not hide it. */
export const vrrpFilter = assemble([
  loadWord(VLAN_TAG_PRESENT),
  equal(0, 0, 8),
  loadHalf(ETHERTYPE),
  equal(0x0800, 0, 2),
  loadByte(IPV4_PROTOCOL),
  equal(112, 3, 4),
  equal(0x86dd, 0, 3),
  loadByte(IPV6_NEXT_HEADER),
  equal(112, 0, 1),
  accept,
  reject,
]);

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * program.length);
  program.forEach(([code, whenTrue, whenFalse, operand], i) => {
    writeU16(bytes, 8 * i, code);
    bytes[8 * i + 2] = whenTrue;
    bytes[8 * i + 3] = whenFalse;
    writeU32(bytes, 8 * i + 4, operand);
  });
  return bytes;
}
