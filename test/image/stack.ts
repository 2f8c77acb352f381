/**
 * How deep the stack of a BPF program gets, read from its object file: Linux 6.1 gives each call at least 32
 * bytes, in steps of 32, and refuses a program whose deepest chain of calls needs more than 512.
 */

/** elf(5), 64 bits, little endian. */
const SECTION_HEADER_BYTES = 64;
const SECTION_TYPE_SYMBOLS = 2;
const SECTION_TYPE_RELOCATIONS = 9;
const SYMBOL_BYTES = 24;
const SYMBOL_TYPE_FUNCTION = 2;
const RELOCATION_BYTES = 16;
/** Documentation/bpf/llvm_reloc.rst */
const RELOCATION_CALL = 10;

/** Documentation/bpf/standardization/instruction-set.rst */
const INSTRUCTION_BYTES = 8;
const CALL = 0x85;
const PSEUDO_CALL = 1;
const MOVE = 0xbf;
const ADD_IMMEDIATE = 0x07;
const WIDE_LOAD = 0x18;
const FRAME_POINTER = 10;
const CLASS_MASK = 0x07;
const CLASS_LOAD = 0x01;
const CLASS_STORE = 0x02;
const CLASS_STORE_REGISTER = 0x03;

/** What a call costs at least, and the step in which it grows. */
const STEP_BYTES = 32;

export interface Function {
  readonly name: string;
  readonly stackBytes: number;
  readonly calls: readonly string[];
}

export interface Chain {
  readonly bytes: number;
  /** From the program down, such as "futago_balancer 240". */
  readonly frames: readonly string[];
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

interface Symbol {
  readonly name: string;
  readonly type: number;
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

/** The functions of an object, by name. */
export function functionsOf(object: Buffer): ReadonlyMap<string, Function> {
  const sections = sectionsOf(object);
  const symbols = symbolsOf(object, sections);
  const functions = symbols.filter((symbol) => symbol.type === SYMBOL_TYPE_FUNCTION);
  const at = (section: number, value: number) =>
    functions.find((symbol) => symbol.section === section && symbol.value === value)?.name;
  const relocated = relocatedCalls(object, sections, symbols);
  return new Map(
    functions.map((symbol) => {
      const start = (sections[symbol.section]?.offset ?? 0) + symbol.value;
      const code = object.subarray(start, start + symbol.size);
      const calls = callsOf(code).map(({ at: offset, immediate }) => {
        const place = symbol.value + offset;
        const target = relocated.get(`${symbol.section} ${place}`);
        // Without a relocation the call is relative to the next instruction; with one, to the symbol.
        const named = target?.type === SYMBOL_TYPE_FUNCTION ? target.name : undefined;
        const value = (immediate + 1) * INSTRUCTION_BYTES + (target === undefined ? place : 0);
        const called = named ?? at(target?.section ?? symbol.section, value);
        if (called === undefined) throw new Error(`${symbol.name} calls what has no name, at ${place}`);
        return called;
      });
      return [symbol.name, { name: symbol.name, stackBytes: frameBytes(code), calls: [...new Set(calls)] }] as const;
    }),
  );
}

/** The chain of calls from a program that needs most stack. BPF knows no recursion. */
export function deepestChain(functions: ReadonlyMap<string, Function>, name: string): Chain {
  const found = functions.get(name);
  if (found === undefined) throw new Error(`no function ${name}`);
  const own = Math.max(STEP_BYTES, Math.ceil(found.stackBytes / STEP_BYTES) * STEP_BYTES);
  const below = found.calls
    .map((call) => deepestChain(functions, call))
    .toSorted((a, b) => b.bytes - a.bytes)
    .at(0);
  return { bytes: own + (below?.bytes ?? 0), frames: [`${name} ${found.stackBytes}`, ...(below?.frames ?? [])] };
}

function callsOf(code: Buffer): readonly { readonly at: number; readonly immediate: number }[] {
  const calls = [];
  for (const { at, opcode, source, immediate } of instructionsOf(code))
    if (opcode === CALL && source === PSEUDO_CALL) calls.push({ at, immediate });
  return calls;
}

/** The lowest byte below the frame pointer that the function reaches for, directly or as the start of an area. */
function frameBytes(code: Buffer): number {
  let lowest = 0;
  let copied: number | undefined;
  for (const { opcode, destination, source, offset, immediate } of instructionsOf(code)) {
    const kind = opcode & CLASS_MASK;
    if (kind === CLASS_LOAD && source === FRAME_POINTER) lowest = Math.min(lowest, offset);
    if ((kind === CLASS_STORE || kind === CLASS_STORE_REGISTER) && destination === FRAME_POINTER)
      lowest = Math.min(lowest, offset);
    if (opcode === ADD_IMMEDIATE && destination === copied) lowest = Math.min(lowest, immediate);
    copied = opcode === MOVE && source === FRAME_POINTER ? destination : undefined;
  }
  return -lowest;
}

function* instructionsOf(code: Buffer) {
  for (let at = 0; at < code.length; at += INSTRUCTION_BYTES) {
    const opcode = code.readUInt8(at);
    const registers = code.readUInt8(at + 1);
    yield {
      at,
      opcode,
      destination: registers & 0xf,
      source: registers >> 4,
      offset: code.readInt16LE(at + 2),
      immediate: code.readInt32LE(at + 4),
    };
    if (opcode === WIDE_LOAD) at += INSTRUCTION_BYTES;
  }
}

function sectionsOf(object: Buffer): readonly Section[] {
  const start = Number(object.readBigUInt64LE(0x28));
  return Array.from({ length: object.readUInt16LE(0x3c) }, (_, index) => {
    const at = start + index * SECTION_HEADER_BYTES;
    return {
      type: object.readUInt32LE(at + 4),
      offset: Number(object.readBigUInt64LE(at + 24)),
      size: Number(object.readBigUInt64LE(at + 32)),
      link: object.readUInt32LE(at + 40),
      info: object.readUInt32LE(at + 44),
    };
  });
}

function symbolsOf(object: Buffer, sections: readonly Section[]): readonly Symbol[] {
  const table = sections.find((section) => section.type === SECTION_TYPE_SYMBOLS);
  const names = sections[table?.link ?? 0];
  if (table === undefined || names === undefined) throw new Error("the object has no symbols");
  return Array.from({ length: table.size / SYMBOL_BYTES }, (_, index) => {
    const at = table.offset + index * SYMBOL_BYTES;
    const name = names.offset + object.readUInt32LE(at);
    return {
      name: object.toString("latin1", name, object.indexOf(0, name)),
      type: object.readUInt8(at + 4) & 0xf,
      section: object.readUInt16LE(at + 6),
      value: Number(object.readBigUInt64LE(at + 8)),
      size: Number(object.readBigUInt64LE(at + 16)),
    };
  });
}

/** The symbols that calls are relocated to, by "section offset". */
function relocatedCalls(
  object: Buffer,
  sections: readonly Section[],
  symbols: readonly Symbol[],
): ReadonlyMap<string, Symbol> {
  const found = new Map<string, Symbol>();
  for (const section of sections.filter(({ type }) => type === SECTION_TYPE_RELOCATIONS)) {
    for (let at = section.offset; at < section.offset + section.size; at += RELOCATION_BYTES) {
      const symbol = symbols[object.readUInt32LE(at + 12)];
      const isCall = object.readUInt32LE(at + 8) === RELOCATION_CALL;
      if (isCall && symbol !== undefined) found.set(`${section.info} ${object.readBigUInt64LE(at)}`, symbol);
    }
  }
  return found;
}
