/** The candidate of a box, judged as its configuration is. */
import type { Commits } from "../commit/commits.ts";
import type { Configuration, ConfigurationOptions } from "../configuration.ts";
import { judgeAside } from "../judge.ts";
import { Candidate } from "./candidate.ts";

export function openCandidate(
  {
    configuration,
    box,
    devices,
  }: Pick<ConfigurationOptions, "box" | "devices"> & { readonly configuration: Configuration },
  commits: Commits,
): Promise<Candidate> {
  return Candidate.load({
    settings: configuration,
    commits,
    head: () => configuration.inForce?.revision,
    judge: async (text) => judgeAside(text, { box, devices: await devices() }, configuration.inForce?.resolved),
  });
}
