/** A person's order to switch over. A sentinel without orders cannot tell why it has none. */
import { ExitCode, RefusalError } from "../exit-code.ts";
import type { Configuration } from "./configuration.ts";
import type { Standing } from "./pairing/standing.ts";
import { noConfiguration } from "./sentences.ts";
import type { CommandResult, SentinelLink } from "./sentinel-link.ts";

export interface SwitchoverFacts {
  readonly configuration: Pick<Configuration, "inForce">;
  readonly standing: Pick<Standing, "kind">;
}

export async function switchOver(
  group: string | undefined,
  { configuration, standing }: SwitchoverFacts,
  sentinel: Pick<SentinelLink, "command">,
): Promise<CommandResult> {
  if (configuration.inForce === undefined)
    throw new RefusalError({ exitCode: ExitCode.failed, what: noConfiguration(standing.kind) });
  return sentinel.command({ kind: "switchover", group });
}
