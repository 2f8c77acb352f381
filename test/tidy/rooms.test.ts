/** What every room owes its reader: a page about itself, and its reasons in words. */
import { describe, expect, test } from "vitest";
import { files, markdown, type SourceFile, typescript, isTest } from "./source.ts";

const SOURCE = /\.(tsx?|c|h)$/;

test("every room has a README", () => {
  const rooms = new Set(
    files.filter(({ path }) => SOURCE.test(path)).flatMap(({ path }) => /^\w+\/\w+(?=\/)/.exec(path) ?? []),
  );
  const lacking = [...rooms].filter((room) => !files.some(({ path }) => path === `${room}/README.md`));
  expect(lacking).toEqual([]);
});

describe("reasons", () => {
  interface Reason {
    readonly type: string;
    readonly literal: string;
    readonly path: string;
  }

  /** The literals of exported unions named …Reason, …Refusal, …Cause or …Counter, and of lists named …_REASONS and so on. */
  function reasonsOf({ path, text }: SourceFile): readonly Reason[] {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    const unions = code.matchAll(/^export type (\w*(?:Reason|Refusal|Cause|Counter))\b\s*=([^;]*);/gm);
    const lists = code.matchAll(/^export const (\w*(?:REASON|REFUSAL|CAUSE|COUNTER)S)\b\s*=\s*\[([^;]*)\] as const;/gm);
    return [...unions, ...lists].flatMap(([, type = "", body = ""]) =>
      Array.from(body.matchAll(/"([^"]+)"/g), ([, literal = ""]) => ({ type, literal, path })),
    );
  }

  const pages = markdown.map(({ text }) => text).join("\n");

  test("every reason that a user or a metric can show is explained in a document", () => {
    const reasons = typescript.filter(({ path }) => !isTest(path)).flatMap(reasonsOf);
    const silent = reasons.filter(({ literal }) => !pages.includes(`\`${literal}\``));
    expect(silent.map(({ type, literal, path }) => `${path} ${type}: ${literal}`)).toEqual([]);
  });

  test("are found over several lines", () => {
    const text = `export type HeaderReason =\n  /** §5.2.1; never sent */\n  | "too-short"\n  | "bad-version";\n`;
    expect(reasonsOf({ path: "a.ts", text }).map(({ literal }) => literal)).toEqual(["too-short", "bad-version"]);
    expect(reasonsOf({ path: "a.ts", text: `export const X_REASONS = ["one"] as const;` })).toHaveLength(1);
  });
});
