/** Numbers that C and TypeScript share: a consts.h against the layout.ts beside it and against hal/units. */
import { expect, test } from "vitest";
import { files } from "./source.ts";

interface Constant {
  readonly value: number;
  /** Written as a number, not made from other constants. */
  readonly literal: boolean;
}
type Constants = ReadonlyMap<string, Constant>;

/** `NAME = number`, and products of such; other right-hand sides are left out. */
function constants(text: string, statement: RegExp): Constants {
  const found = new Map<string, Constant>();
  for (const [, name = "", right = ""] of text.matchAll(statement)) {
    const factors = right.replaceAll(/[()]/g, "").split("*");
    const numbers = factors.map((factor) => numberOf(factor.trim()));
    const values = factors.map((factor, i) => numbers[i] ?? found.get(camel(factor.trim()))?.value ?? Number.NaN);
    const value = values.reduce((product, factor) => product * factor, 1);
    if (!Number.isNaN(value))
      found.set(camel(name), { value, literal: numbers.every((number) => number !== undefined) });
  }
  return found;
}

function numberOf(literal: string): number | undefined {
  return /^(0x[\da-f]+|[\d_]+)U?L*$/i.test(literal) ? Number.parseInt(literal.replaceAll("_", "")) : undefined;
}

/** FLOWS_MAX and flowsMax are the same name. */
function camel(name: string): string {
  if (!/^[A-Z0-9_]+$/.test(name)) return name;
  return name.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

const inC = (text: string) => constants(text, /^#define (\w+) (.+?)(?:\s*\/\*.*)?$/gm);
const inTypescript = (text: string) => constants(text, /^(?:export )?const (\w+)(?:: \w+)? = ([^;]+);/gm);

/** Every number of `c` that has the same name in `typescript` and another value; every limit in `c` that has no twin. */
function disagreements(c: Constants, typescript: Constants): readonly string[] {
  return Array.from(c).flatMap(([name, { value, literal }]) => {
    const other = typescript.get(name)?.value;
    if (other === undefined) return literal && name.endsWith("Max") ? [`${name} has no twin in TypeScript`] : [];
    return other === value ? [] : [`${name} is ${value} in C and ${other} in TypeScript`];
  });
}

test("what C and TypeScript both name is the same number, and every limit of C has a twin", () => {
  const headers = files.filter(({ path }) => path.endsWith("/consts.h"));
  expect(headers.length).toBeGreaterThan(0);
  for (const { path, text } of headers) {
    const twins = files.filter(
      (file) => file.path === path.replace("consts.h", "layout.ts") || /^hal\/units\/[^.]+\.ts$/.test(file.path),
    );
    expect(disagreements(inC(text), inTypescript(twins.map((file) => file.text).join("\n")))).toEqual([]);
  }
});

test("another value and a missing twin would be found", () => {
  const c = inC(
    "#define A_MAX 0x10\n#define B_MAX (A_MAX * 2) /* twice */\n#define C_MAX 1000ULL\n#define D sizeof(x)\n",
  );
  expect(disagreements(c, inTypescript("export const A_MAX = 1_6;\nexport const bMax = A_MAX * 3;"))).toEqual([
    "bMax is 32 in C and 48 in TypeScript",
    "cMax has no twin in TypeScript",
  ]);
});
