/** Words that have no place in the house, as a function from one line to a complaint. docs/STYLE is CONTRIBUTING.md. */

/** A line may say the word for the reason given. */
export interface Excepted {
  /** Start of a path. */
  readonly path: string;
  readonly words: RegExp;
  readonly reason: string;
}

/** Anywhere, also inside a longer name. */
const BANNED = /masters?|slaves?|managers?|(?<!ip|ldns|bin|-)utils\b|upstreams?|real[ -]servers?/i;

/** The kernel's constants, a directory of sysfs, an argument of ip(8) and a word of keepalived.conf(5) keep their spelling. */
const OTHERS_SPELLING =
  /\b(IFLA|IFF|NDA|NETDEV|NLM|RTM|BPF|TCA)_\w+\b|"master"|"slaves"|\bnomaster\b|\blink set \S.* master\b|\bstate MASTER\b/g;

export const EXCEPTED: readonly Excepted[] = [
  { path: "test/tidy/", words: BANNED, reason: "these tests name the words they look for" },
  { path: "CONTRIBUTING.md", words: BANNED, reason: "tells newcomers which words are not used" },
  { path: "images/base/debian/wanted.ts", words: /^utils$/, reason: "a package of Debian is named coreutils" },
  { path: "images/base/bill.ts", words: /^manager$/i, reason: "SPDX's own words" },
  { path: "test/bench/nginx/", words: /^upstream$/i, reason: "nginx's own words" },
  { path: "test/interop/keepalived", words: /^master$/i, reason: "keepalived's own words" },
  { path: "test/bench/keepalived", words: /^master$/i, reason: "keepalived's own words" },
  { path: "test/interop/frr", words: /^master$/i, reason: "FRR's own words" },
  { path: "images/base/files/etc/systemd/", words: /^manager$/i, reason: "systemd's own words" },
  { path: "firmware/cli/command.test.ts", words: /^master$/, reason: "shows that the word is refused as a role" },
];

/** The banned word of a line, or undefined. */
export function bannedWord(line: string, path: string): string | undefined {
  const rest = line.replaceAll(OTHERS_SPELLING, "");
  const word = BANNED.exec(rest)?.[0];
  if (word === undefined) return undefined;
  return EXCEPTED.some((one) => path.startsWith(one.path) && one.words.test(word)) ? undefined : word;
}

const QUALIFIER = /^\s+(router|backend|file|state|pool|group)s?\b/i;

/**
 * A lower-case "backup" in prose that does not say what it backs up. Prose is a document, or a comment of the code;
 * what stands in quotes or backticks is a name. The RFC's state is written Backup.
 */
export function unqualifiedBackup(line: string, path: string): string | undefined {
  const comment = /^\s*(?:\/\/|\/?\*+)(.*)$/.exec(line)?.[1] ?? /\s\/\/ (.*)$/.exec(line)?.[1];
  const prose = (path.endsWith(".md") ? line : (comment ?? "")).replaceAll(/`[^`]*`|"[^"]*"/g, "");
  for (const match of prose.matchAll(/\bbackup\b/g)) {
    if (!QUALIFIER.test(prose.slice(match.index + match[0].length))) return "backup of what? router, backend or file";
  }
  return undefined;
}

/** A word that says that something is not done. */
export const UNFINISHED = /\b(FIX{1}ME|TO{1}DO|X{3}|HA{1}CK)\b/;

/** Hosts of package registries and mirrors, and directories of one person's machine. */
export const ELSEWHERE = new RegExp(
  [
    "registry\\.[a-z]+\\.(org|com)",
    "npmjs",
    "yarnpkg",
    "nodesource",
    "(deb|ftp|snapshot|security)\\.debian",
    "archive\\.ubuntu",
    "pypi",
    "unpkg",
    "jsdelivr",
    "(?<![\\w.])/(work|home|root|Users)/\\w",
  ].join("|"),
);
