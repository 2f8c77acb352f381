/**
 * `npm run rfc`: which requirements of an RFC have a test. The requirements are rows of docs/rfcNNNN-requirements.md,
 * `| RFC9568-6.4.2-a | MUST | what it asks | … |`; a test covers one by naming its id. A row whose last cell begins
 * with "not ours:" needs none and says why.
 */
import { isTest, markdown, type SourceFile, typescript } from "./source.ts";

export interface Requirement {
  /** Such as "RFC9568-6.4.2-a". */
  readonly id: string;
  readonly level: "MUST" | "MUST NOT" | "SHOULD" | "SHOULD NOT" | "MAY";
  readonly text: string;
  /** Why it needs no test, or undefined. */
  readonly notOurs: string | undefined;
}

const ID = /\bRFC\d{4}-[\d.]+-[a-z0-9]+\b/g;
const ROW = /^\|\s*(RFC\d{4}-[\d.]+-[a-z0-9]+)\s*\|\s*((?:MUST|SHOULD)(?: NOT)?|MAY)\s*\|(.*)\|\s*$/gm;

export function requirementsOf(text: string): readonly Requirement[] {
  return Array.from(text.matchAll(ROW), ([, id = "", level = "", rest = ""]) => {
    const cells = rest.split("|").map((cell) => cell.trim());
    const notOurs = /^not ours: (.+)/.exec(cells.at(-1) ?? "")?.[1];
    return { id, level: level as Requirement["level"], text: cells[0] ?? "", notOurs };
  });
}

/** The ids that a test names. */
export function idsOf(tests: readonly SourceFile[]): ReadonlySet<string> {
  return new Set(tests.flatMap(({ text }) => text.match(ID) ?? []));
}

export function uncovered(requirements: readonly Requirement[], covered: ReadonlySet<string>): readonly Requirement[] {
  return requirements.filter(
    ({ id, level, notOurs }) => level.startsWith("MUST") && notOurs === undefined && !covered.has(id),
  );
}

export const requirements = markdown
  .filter(({ path }) => /^docs\/rfc\d+-requirements\.md$/.test(path))
  .flatMap(({ text }) => requirementsOf(text));

export const covered = idsOf(typescript.filter(({ path }) => isTest(path) && !path.startsWith("test/tidy/")));

if (import.meta.main) {
  const open = uncovered(requirements, covered);
  for (const { id, level, text } of open) console.log(`${id}\t${level}\t${text}`);
  const musts = requirements.filter(({ level, notOurs }) => level.startsWith("MUST") && notOurs === undefined).length;
  console.log(`${musts - open.length} of ${musts} MUSTs have a test`);
  process.exitCode = open.length === 0 && musts > 0 ? 0 : 1;
}
