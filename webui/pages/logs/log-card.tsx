/** The box's log, newest first. */
import { useState } from "preact/hooks";
import type { LogLine } from "@futago/firmware/runtime/control.ts";
import { fieldText, restText } from "../logic/log-fields.ts";
import { Awaited, Card, Empty } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Input, Select } from "../parts/input.tsx";
import { clock } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

const askMillis = 4_000;
const linesMax = 400;

export function LogCard() {
  const say = words.value.tools;
  const [filter, setFilter] = useState("");
  const [level, setLevel] = useState("");
  const asked = useAsked(() => api.call("GET log"), [], askMillis);
  const wanted = (line: LogLine) =>
    (level === "" || line.level === level) &&
    (filter === "" || `${line.event} ${restText(line.fields)}`.toLowerCase().includes(filter.toLowerCase()));
  return (
    <Card title={say.log} icon="logs">
      <div class="two">
        <Input label={say.filter} value={filter} onValue={setFilter} />
        <Select
          label={say.level}
          value={level}
          onValue={setLevel}
          options={[["", say.all], ...Object.entries(say.levels)]}
        />
      </div>
      <Awaited asked={asked}>
        {(lines) => {
          const shown = lines
            .filter(wanted)
            .toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at))
            .slice(0, linesMax);
          if (shown.length === 0) return <Empty text={say.noLines} />;
          return (
            <ol class="lines">
              {shown.map((line, index) => (
                // Two lines may be the same to the letter.
                // oxlint-disable-next-line react/no-array-index-key -- see above.
                <Line key={`${line.at} ${line.event} ${index}`} line={line} />
              ))}
            </ol>
          );
        }}
      </Awaited>
    </Card>
  );
}

function Line({ line }: { readonly line: LogLine }) {
  const isBad = line.level === "warn" || line.level === "error" || line.level === "fatal";
  const { levels } = words.value.tools;
  const level = Object.entries(levels).find(([key]) => key === line.level)?.[1] ?? line.level;
  return (
    <li class={isBad ? "line wait-text" : "line"}>
      <time>{clock(line.at)}</time>
      <span class="line-level">
        <Icon name={isBad ? "alert" : "info"} size={14} /> {level}
      </span>
      <code>{line.event}</code>
      <span class="line-text mono">
        {fieldText(line.fields, "reason")} <span class="quiet">{restText(line.fields, ["reason"])}</span>
      </span>
    </li>
  );
}
