/** One sentence: whether the pair would survive the next failure, and why not. */
import { fill } from "../logic/fill.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { boxes, status } from "../state/live.ts";
import { words } from "../state/settings.ts";
import type { SurvivalReason } from "@futago/firmware/runtime/control-ports.ts";

const icons: Readonly<Record<string, IconName>> = { yes: "check", partly: "alert", no: "fault", alone: "alone" };

export function SurvivalLine() {
  const { overview } = words.value;
  const survival = boxes.value?.survival;
  if (survival === undefined) return null;
  const isAlone = status.value?.peer === null;
  const kind = isAlone ? "alone" : survival.survives;
  return (
    <section class={`survival ${kind}`} aria-live="polite">
      <Icon name={icons[kind] ?? "info"} size={28} />
      <div>
        <p class="survival-sentence">{overview.survival[kind]}</p>
        {!isAlone && survival.reasons.length > 0 && (
          <ul>
            {survival.reasons.map((one) => (
              <li key={`${one.reason} ${one.sentence}`}>{reasonText(one)}</li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function reasonText({ reason, parameters, sentence }: SurvivalReason): string {
  const { reasons } = words.value.overview;
  const said = Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
  return said === undefined ? sentence : fill(said, parameters);
}
