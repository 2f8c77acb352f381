/** What a verb of the command line is. */
import type { ParseArgsOptionDescriptor } from "node:util";

export interface Verb {
  readonly name: string;
  /** What follows the verb, as the usage line shows it. */
  readonly operands: string;
  readonly operandsMin: number;
  readonly operandsMax: number;
  /** The words the first operand may be; undefined: any. */
  readonly operandWords: readonly string[] | undefined;
  readonly options: Readonly<
    Record<string, ParseArgsOptionDescriptor & { readonly help: string; readonly value?: string }>
  >;
  readonly summary: string;
  /** What each word in the place of the first operand means. */
  readonly words?: Readonly<Record<string, string>>;
  /** Paragraphs, each a line. */
  readonly details: string;
}

export const DEFAULT_STATE = "/data/futago";

export const COMMON = {
  state: { type: "string", value: "DIR", help: `the box's state directory (default ${DEFAULT_STATE})` },
  json: { type: "boolean", help: "print JSON" },
  help: { type: "boolean", short: "h", help: "print this help" },
} as const;

/** A verb without operands and options of its own. */
export function none(name: string): Omit<Verb, "summary" | "details"> {
  return { name, operands: "", operandsMin: 0, operandsMax: 0, operandWords: undefined, options: COMMON };
}
