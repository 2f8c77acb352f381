/** What core lets be asked of it, answered by its parts. */
import type { JsonInPieces } from "../../json-pieces.ts";
import type { Parts } from "../core-options.ts";
import type { Log } from "../log.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import type { PairLink } from "../pair-link.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import type { Serving } from "../serving.ts";
import { switchOver } from "../switchover.ts";
import type { Turns } from "../turns.ts";
import type { Answers } from "./handlers.ts";
import { healthAnswer, servicesAsked } from "./large-answers.ts";
import type { Toolbox } from "./toolbox.ts";

export interface AnsweringParts extends Parts {
  readonly log: Log;
  readonly network: NetworkKeeper;
  readonly sentinel: SentinelLink;
  readonly serving: Serving;
  readonly link: PairLink;
  readonly toolbox: Toolbox;
  readonly turns: Turns;
  readonly status: (only: ReadonlySet<string> | undefined) => JsonInPieces;
}

export function answersOfCore(parts: AnsweringParts): Answers {
  const { configuration, serving, link, log, network, maintenance, sentinel, turns, toolbox } = parts;
  const resolved = () => configuration.inForce?.resolved;
  return {
    status: async (query) => {
      const only = servicesAsked(resolved(), query);
      await serving.countFlows();
      return parts.status(only);
    },
    health: (service) => healthAnswer(resolved(), service, (only) => serving.checks(only)),
    events: () => link.timeline.events,
    timeline: () => link.timeline.merged(),
    log: () => log.lines(),
    neighbours: () => network.neighbours(),
    switchover: (group) => switchOver(group, parts, sentinel),
    maintenance: (on) => turns.take(() => maintenance.set(on, sentinel)),
    ...toolbox.answers,
  };
}
