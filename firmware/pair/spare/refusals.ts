/** What people are told about a cold pair: refusals, alarms, and what became of their orders. The exit codes are the command line's. */
import type { IpAddress } from "@futago/hal/units/address.ts";
import { activeBox, isDark, isNamed, standing } from "./step.ts";
import type { Answer, Box, Look, SpareConfig, SpareState } from "./types.ts";

const [FAILED, PEER_NEEDED, CONFLICT] = [1, 5, 6];
const MACHINES_TOLD = 4;
const ADDRESSES_TOLD = 8;

export interface SpareRefusal {
  readonly exitCode: number;
  readonly what: string;
  readonly mend: string;
}

const HOT: SpareRefusal = {
  exitCode: CONFLICT,
  what: "the standby of this pair is hot: it takes over by itself, and there is no spare",
  mend: "`futago switchover` lets the two boxes change roles.",
};

/** Before anything is looked at. */
export function refuseActivation(config: SpareConfig, state: SpareState, force: boolean): SpareRefusal | undefined {
  if (!config.cold) return HOT;
  if (state.looking === "person") {
    return { exitCode: CONFLICT, what: "somebody is activating this box already", mend: "`futago status` tells." };
  }
  if (force) return undefined;
  const peer = otherBox(config.box);
  const mend = `Say \`futago spare release\` on box ${peer} first, or take its power away; --force takes everything from it.`;
  if (state.peer === "active") return { exitCode: CONFLICT, what: `box ${peer} is heard, and it is active`, mend };
  // A link that is broken takes longer to notice than missing heartbeats; asking around tells the rest.
  const there = state.linked && state.peer !== "silent";
  if (!there || activeBox(config, state.activation) !== peer) return undefined;
  return { exitCode: CONFLICT, what: `box ${peer} is there, and it is the active one`, mend };
}

/** When it was looked. */
export function refuseLook(look: Look): SpareRefusal | undefined {
  if (isDark(look)) return undefined;
  if (look.answers.length > 0) {
    return {
      exitCode: CONFLICT,
      what: `the other box is not dark: ${answersTold(look.answers)}`,
      mend: "The ports are shut again. Take that machine's power or cables away, or take over all the same with --force.",
    };
  }
  const where = look.unplugged.length === 0 ? "" : `: no cable is in ${look.unplugged.join(", ")}`;
  return {
    exitCode: FAILED,
    what: `nobody could be asked whether the other box is dark${where}`,
    mend: "The ports are shut again. Plug the cables in, or take over all the same with --force.",
  };
}

export function refuseRelease(
  config: SpareConfig,
  state: SpareState,
  sameRevision: boolean,
  force: boolean,
): SpareRefusal | undefined {
  if (!config.cold) return HOT;
  const peer = otherBox(config.box);
  if (standing(config, state).part !== "active") {
    const mend = `\`futago status\` on box ${peer} tells whether that one is.`;
    return { exitCode: CONFLICT, what: "this box is not the active one", mend };
  }
  if (force) return undefined;
  if (!state.linked || state.peer === "silent") {
    const what = `box ${peer} is not there to take over: nobody would serve`;
    return { exitCode: PEER_NEEDED, what, mend: "Start it, or look at the cables of the heartbeat; or give --force." };
  }
  if (sameRevision) return undefined;
  const what = `box ${peer} has another configuration, so it cannot take over yet`;
  return { exitCode: PEER_NEEDED, what, mend: "`futago status` shows both revisions and the alarms that tell why." };
}

/** By kind; undefined ends an alarm. A box in maintenance refuses to be activated. */
export function spareAlarms(
  config: SpareConfig,
  state: SpareState,
  inMaintenance: boolean,
): ReadonlyMap<string, string | undefined> {
  const peer = otherBox(config.box);
  const active = activeBox(config, state.activation);
  const gone = config.cold && active === peer && state.peer === "silent";
  const nobody = config.cold && active === "nobody";
  const first = inMaintenance ? "`futago maintenance off` and then " : "";
  return new Map([
    [
      "active-gone",
      gone ? `the active box ${peer} is gone: ${first}\`futago spare activate\` here takes over` : undefined,
    ],
    ["nobody-serves", nobody ? "nobody serves: `futago spare activate` on the box that shall" : undefined],
    ["not-proven", notProven(config, state)],
    ["forced", state.forced && forcedTold(peer, state.forced)],
  ]);
}

function notProven(config: SpareConfig, state: SpareState): string | undefined {
  const { doubt } = state;
  if (doubt === undefined || !isNamed(config, state)) return undefined;
  const why =
    doubt.answers.length > 0
      ? answersTold(doubt.answers)
      : `nobody could be asked, no cable is in ${doubt.unplugged.join(", ")}`;
  return `this box was the active one and does not serve, for the other one may have been activated meanwhile: ${why}; look at the cables between the boxes. It asks again every ten seconds; \`futago spare activate --force\` takes over`;
}

function forcedTold(peer: Box, look: Look): string {
  const seen = look.answers.length > 0 ? `although ${answersTold(look.answers)}` : "although nobody could be asked";
  return `this box was activated by force ${seen}: two boxes may answer for one address until box ${peer} is off or linked again`;
}

/** "02:00:00:00:00:01 on eth0 has 10.1.0.1, 10.1.0.2". */
export function answersTold(answers: readonly Answer[]): string {
  const machines = new Map<string, IpAddress[]>();
  for (const { address, mac, device } of answers) {
    const machine = `${mac} on ${device}`;
    machines.set(machine, [...(machines.get(machine) ?? []), address]);
  }
  const told = [...machines].slice(0, MACHINES_TOLD).map(([machine, all]) => {
    const more = all.length > ADDRESSES_TOLD ? ` and ${all.length - ADDRESSES_TOLD} more` : "";
    return `${machine} has ${all.slice(0, ADDRESSES_TOLD).join(", ")}${more}`;
  });
  const left = machines.size - told.length;
  return left > 0 ? `${told.join("; ")}; and ${left} more machines` : told.join("; ");
}

export function otherBox(box: Box): Box {
  return box === "a" ? "b" : "a";
}
