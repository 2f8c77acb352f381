/** Whether a bundle may go onto this box, and in whole sentences why not: what is wrong with it, and what to do instead. */
import { type Build, compareBuilds } from "./version.ts";

export type BundleReason =
  | "notABundle"
  | "untrusted"
  | "revoked"
  | "broken"
  | "foreign"
  | "unreadableVersion"
  | "older"
  | "same"
  | "refusedByRauc";

export interface BundleRefusal {
  readonly reason: BundleReason;
  readonly what: string;
  readonly mend: string;
}

/** What a bundle says of itself, once its signature was found good. */
export interface BundleFacts extends Build {
  readonly compatible: string;
}

/** What runs on the box. */
export interface BoxFacts extends Build {
  readonly architecture: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: "x86-64 (amd64)", arm64: "arm64" };

export function refuseBundle(bundle: BundleFacts, box: BoxFacts): BundleRefusal | undefined {
  if (bundle.compatible !== `futago-${box.architecture}`) return foreign(bundle.compatible, box.architecture);
  const order = compareBuilds(bundle, box);
  const names = `${named(bundle)}, and this box runs ${named(box)}`;
  if (order === undefined) {
    return {
      reason: "unreadableVersion",
      what: `which of two versions is the newer cannot be told: the bundle is ${names}`,
      mend: "Take a bundle of a release.",
    };
  }
  if (order < 0) {
    return {
      reason: "older",
      what: `the bundle is older than this box: it is ${names}`,
      mend: "Take a newer bundle. To go back to the version in the other slot: `futago update back`.",
    };
  }
  if (order > 0) return undefined;
  return {
    reason: "same",
    what: `this box runs ${named(box)} already`,
    mend: "There is nothing to do; take a newer bundle.",
  };
}

function foreign(compatible: string, architecture: string): BundleRefusal {
  const kind = (name: string) => ARCHITECTURES[name] ?? name;
  const made = /^futago-(.+)$/.exec(compatible)?.[1];
  const what =
    made === undefined
      ? `the bundle is for another product: it says ${JSON.stringify(compatible)}`
      : `the bundle is for ${kind(made)}, and this box is ${kind(architecture)}`;
  return { reason: "foreign", what, mend: `Take the bundle whose name ends in ${architecture}.raucb.` };
}

function named({ version, time }: Build): string {
  return `${version} of ${time}`;
}

/** In this order: a text that fits several is told by the first. */
const WORDS_OF_RAUC: readonly (readonly [words: RegExp, reason: BundleReason])[] = [
  [/certificate revoked/i, "revoked"],
  [/CRL has expired|unable to get certificate CRL/i, "untrusted"],
  [
    /invalid (bundle )?identifier|invalid bundle format|not a valid RAUC bundle|invalid magic|too small|signature size|not .*squashfs/i,
    "notABundle",
  ],
  [/format .*not (allowed|supported)|plain.*not allowed|not allowed by configuration/i, "untrusted"],
  [/compatible .*mismatch|mismatch.*compatible|does not match/i, "foreign"],
  [/i\/o error|input\/output error|verity|digest|checksum|failed to (mount|read)/i, "broken"],
  [/signature|verify error|local issuer|self.signed|certificate|asn1|CMS|PKCS/i, "untrusted"],
];

const SENTENCES: Readonly<Record<BundleReason, readonly [what: string, mend: string]>> = {
  notABundle: [
    "the file is no update bundle, or only a part of one",
    "Download it again, and compare its SHA-256 sum.",
  ],
  untrusted: [
    "the bundle is not signed by anybody that this box trusts",
    "Take a bundle from where this box's image came from; one that was changed on its way is refused, too.",
  ],
  revoked: ["the key that signed the bundle was withdrawn", "Take a newer bundle: it is signed by another key."],
  broken: [
    "the bundle is damaged: its signature is good, and what it holds is not what was signed",
    "Download it again, and compare its SHA-256 sum.",
  ],
  foreign: ["the bundle is for another kind of box", "Take the one for this box's architecture."],
  unreadableVersion: ["the bundle's version cannot be read", "Take a bundle of a release."],
  older: ["the bundle is older than this box", "Take a newer bundle."],
  same: ["this box runs this version already", "There is nothing to do."],
  refusedByRauc: ["the bundle could not be installed", "`futago show log` holds what was said."],
};

/** What RAUC said when it refused, as one of our own refusals; its own words stay in it where we know no better. */
export function readRefusal(said: string): BundleRefusal {
  const reason = WORDS_OF_RAUC.find(([words]) => words.test(said))?.[1] ?? "refusedByRauc";
  const [what, mend] = SENTENCES[reason];
  if (reason !== "refusedByRauc") return { reason, what, mend };
  const last = said.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  return { reason, what: last === "" ? what : `${what}: ${last}`, mend };
}
