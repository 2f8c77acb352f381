/** What is told of a commit: a sentence each, whether or not a warning was written as one. */
import type { Committed } from "@futago/firmware/runtime/control-configuration.ts";
import { words } from "../state/settings.ts";

export function committedText({ changed, warnings, remarks }: Committed): string {
  const { change } = words.value;
  const warned = warnings.map((warning) => (/[.?!]$/.test(warning) ? warning : `${warning}.`));
  return [changed ? change.committed : change.nothingChanged, ...remarks, ...warned].join(" ");
}
