/**
 * Which of two builds is the newer one. A version is three numbers, and after a "-" what came before them; of two builds of
 * one version the time decides.
 *
 * @see Semantic Versioning 2.0.0, §11, of which "+" and what follows counts for nothing
 */
export interface Build {
  readonly version: string;
  /** RFC 3339, in UTC. */
  readonly time: string;
}

/** From seconds since 1970, as an image's build is dated. */
export function timeOfBuild(epochSeconds: number): string {
  return new Date(epochSeconds * 1_000).toISOString().replace(".000Z", "Z");
}

interface Parts {
  readonly numbers: readonly number[];
  readonly before: readonly string[];
}

/** Below zero when `one` is the older build; undefined when one of them cannot be read. */
export function compareBuilds(one: Build, other: Build): number | undefined {
  const versions = compareVersions(one.version, other.version);
  if (versions !== 0) return versions;
  const times = [one.time, other.time].map((time) => Date.parse(time));
  const [first = Number.NaN, second = Number.NaN] = times;
  return Number.isNaN(first) || Number.isNaN(second) ? undefined : Math.sign(first - second);
}

export function compareVersions(one: string, other: string): number | undefined {
  const [first, second] = [partsOf(one), partsOf(other)];
  if (first === undefined || second === undefined) return undefined;
  for (const [i, number] of first.numbers.entries()) {
    const difference = number - (second.numbers[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return compareBefore(first.before, second.before);
}

function partsOf(version: string): Parts | undefined {
  const found = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]{0,64})?$/.exec(version);
  if (found === null) return undefined;
  const [, major, minor, patch, before = ""] = found;
  return { numbers: [major, minor, patch].map(Number), before: before === "" ? [] : before.split(".") };
}

function compareBefore(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return Math.sign(other.length - one.length);
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const [first, second] = [one[i], other[i]];
    if (first === undefined || second === undefined) return first === undefined ? -1 : 1;
    const difference = compareWords(first, second);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareWords(one: string, other: string): number {
  const [isNumber, isOtherNumber] = [one, other].map((word) => /^\d+$/.test(word));
  if (isNumber === true && isOtherNumber === true) return Math.sign(Number(one) - Number(other));
  if (isNumber !== isOtherNumber) return isNumber === true ? -1 : 1;
  return one === other ? 0 : one < other ? -1 : 1;
}
