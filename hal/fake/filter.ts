/** Runs the classic BPF programs of hal/packet on frames in memory: the operations that they use, no more. */
import { readU16, readU32 } from "../netlink/codec/attributes.ts";

/** How many bytes of the frame the program accepts; 0 refuses it. A load past the end refuses too, as in the kernel. */
export function runFilter(program: Uint8Array, frame: Uint8Array): number {
  let value = 0;
  for (let pc = 0; 8 * pc < program.length; pc++) {
    const operand = readU32(program, 8 * pc + 4);
    const operation = readU16(program, 8 * pc);
    if (operation === 0x06) return operand;
    const size = LOADS.get(operation);
    if (size !== undefined) {
      const loaded = load(frame, operand, size);
      if (loaded === undefined) return 0;
      value = loaded;
      continue;
    }
    const holds = JUMPS.get(operation)?.(value, operand);
    if (holds === undefined) throw new Error(`classic BPF operation ${operation} at ${pc} is not known here`);
    pc += program[8 * pc + (holds ? 2 : 3)] ?? 0;
  }
  throw new Error("the program runs off its end");
}

const LOADS: ReadonlyMap<number, number> = new Map([
  [0x30, 1],
  [0x28, 2],
  [0x20, 4],
]);

const JUMPS: ReadonlyMap<number, (value: number, operand: number) => boolean> = new Map([
  [0x15, (value, operand) => value === operand],
  [0x25, (value, operand) => value > operand],
  [0x35, (value, operand) => value >= operand],
]);

/** Operands from 0xfffff000 on ask about the frame instead; all that is asked here is the tag that the port took off. */
const ABOUT_THE_FRAME = 0xfffff000;

function load(frame: Uint8Array, at: number, size: number): number | undefined {
  if (at >= ABOUT_THE_FRAME) return 0;
  if (at + size > frame.length) return undefined;
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (frame[at + i] ?? 0);
  return value;
}
