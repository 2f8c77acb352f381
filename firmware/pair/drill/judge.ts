/** Whether a pair may be drilled, what a drill may cost, and whether it cost more. Pure. */
import type { Allowed, DrillRefusal, DrillResult, DrillVip, How } from "./types.ts";

const PEER_NEEDED = 5;
const CONFLICT = 6;

/** For so long the box that gave a VIP away still forwards what comes for it. */
const FORWARDS_MICROS = 100_000;
/** The machine's part of a take-over: the plan, the answer, and the probes' own distance. */
const TAKING_MICROS = 50_000;

/** Alarms of a pair that is not whole: a drill would only make it worse. */
const NOT_WHOLE: ReadonlySet<string> = new Set([
  "peer-lost",
  "path-lost",
  "one-way",
  "wrong-key",
  "same-box",
  "two-actives",
  "held-down",
  "unfit",
  "vrid-conflict",
  "address-conflict",
  "missing-device",
  "network-refused",
  "no-configuration",
  "revision-differs",
  "revision-refused",
  "unconfirmed",
  "not-rolled-back",
  "sentinel-away",
]);

/** How one box stands when a drill is to begin. */
export interface DrillStanding {
  readonly isPaired: boolean;
  /** The link between the two cores. */
  readonly linked: boolean;
  readonly peerAlive: boolean;
  readonly peerRole: string;
  readonly role: string;
  readonly groups: readonly { readonly name: string; readonly state: string }[];
  /** The peer has all connections that this box serves. */
  readonly told: boolean;
  readonly alarms: readonly { readonly kind: string; readonly sentence: string }[];
  readonly busy: boolean;
}

/** Why there can be no drill now; undefined: there can. */
export function drillRefusal(standing: DrillStanding, how: How): DrillRefusal | undefined {
  const { groups, role, peerRole } = standing;
  if (!standing.isPaired) return needed("this box has no peer, and a drill needs two boxes", "Pair it first.");
  if (standing.busy) return conflict("a drill is under way already", "Wait for its end: `futago drill report`.");
  if (!standing.peerAlive || !standing.linked)
    return needed("the peer is not there; a drill needs both boxes", "`futago status` tells what is missing.");
  if (groups.length === 0) return conflict("no failover group is configured, so nothing can change hands", "");
  if (role === "maintenance") return conflict("this box is in maintenance", "`futago maintenance off` ends that.");
  if (peerRole === "maintenance") return needed("the peer is in maintenance", "End that on the other box.");
  if (role === "spare" || peerRole === "spare")
    return conflict(
      "one of the boxes is the spare, which takes nothing over by itself",
      "`futago spare` changes hands.",
    );
  const alarm = standing.alarms.find(({ kind }) => NOT_WHOLE.has(kind));
  if (alarm !== undefined)
    return conflict(`the pair is not whole: ${alarm.kind}: ${alarm.sentence}`, "Mend that first.");
  const held = groups.filter(({ state }) => state === "active").length;
  if (held < groups.length && peerRole !== "active")
    return needed("not every group is held by one of the boxes", "Try again in a few seconds.");
  if (!standing.told) return conflict("the peer does not know all connections yet", "Try again in a few seconds.");
  if (how === "killed" && held > 0 && held < groups.length)
    return conflict(
      "each box holds a group, and the drill may kill one box only",
      "Bring all groups to one box with `futago switchover --group GROUP`.",
    );
  return undefined;
}

function needed(what: string, mend: string): DrillRefusal {
  return { exitCode: PEER_NEEDED, what, mend };
}

function conflict(what: string, mend: string): DrillRefusal {
  return { exitCode: CONFLICT, what, mend };
}

/** A killed box is silent for the dead time; nothing is lost when roles are changed as planned. */
export function allowedOf(how: How, deadMicros: number): Allowed {
  return how === "planned"
    ? { silenceMicros: FORWARDS_MICROS, lost: 0 }
    : { silenceMicros: deadMicros + TAKING_MICROS, lost: null };
}

/** In what it was worse than allowed, in sentences. */
export function worseThan(allowed: Allowed, vips: readonly DrillVip[]): readonly string[] {
  if (vips.length === 0) return ["no virtual address could be probed, so nothing is proven"];
  return vips.flatMap(({ address, silenceMicros, sent, lost }) => {
    if (silenceMicros === null) return [`${address} was not seen to change hands`];
    const limit = allowed.silenceMicros;
    const silent =
      silenceMicros > limit ? [`${address} was silent for ${ms(silenceMicros)}, and ${ms(limit)} are allowed`] : [];
    const few = allowed.lost !== null && lost > allowed.lost;
    return few
      ? [...silent, `${address} did not answer ${lost} of ${sent} probes, and ${allowed.lost} are allowed`]
      : silent;
  });
}

function ms(micros: number): string {
  return `${(micros / 1_000).toFixed(1)} ms`;
}

/** What is said of a drill in one line. */
export function drillSentence({ how, vips, worse, back }: DrillResult): string {
  const lost = vips.reduce((sum, vip) => sum + vip.lost, 0);
  const silence = vips.reduce((longest, vip) => Math.max(longest, vip.silenceMicros ?? 0), 0);
  const figures = `${lost} ${lost === 1 ? "probe" : "probes"} lost, silent for ${ms(silence)} at most`;
  const end = {
    stayed: "",
    ordered: "; the roles are as before",
    worse: "; the roles went back",
    failed: "; the roles could not go back",
  }[back];
  const what = how === "planned" ? "planned hand-over" : "death of the active box's processes";
  return worse.length === 0 ? `${what}: ${figures}${end}` : `${what}: worse than allowed: ${worse[0]}${end}`;
}
