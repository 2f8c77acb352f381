/** What the alarms of core say: what happened, where, and what to do about it. Pure. */

export const NO_CONFIGURATION = "this box has no configuration; give it one with `futago config apply FILE`";

export const SENTINEL_AWAY =
  "the sentinel is not running, so this box holds no role; it is being started again, and `futago show log` tells why it ended";

export const PAIRED_APPLY =
  "the peer was not told of this change: apply the same file on the other box too, or the boxes go on with different configurations";

export function missingDevice(device: string): string {
  return `the configuration names the device ${device}, which this box does not have; plug it in, or name another with \`futago config apply\``;
}

export function revisionsDiffer(mine: string, theirs: string): string {
  const short = (revision: string) => revision.slice(0, 16);
  return `this box runs revision ${short(mine)} and the peer ${short(theirs)}; apply the same file on both with \`futago config apply\``;
}

/** What a drain did, for the person who asked for it. `used` is false where no service uses the pool. */
export function drainSentence(name: string, on: boolean, changed: boolean, used: boolean): string {
  const unused = used ? "" : "; no service uses its pool now";
  if (on)
    return `${name} ${changed ? "drains now" : "was draining already"}: it keeps its connections and takes no new ones${unused}.`;
  return changed ? `${name} takes new connections again${unused}.` : `${name} was not draining.`;
}
