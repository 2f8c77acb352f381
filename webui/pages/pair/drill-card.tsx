/** Trying a hand-over for real: how, its progress, and how it came out each time. */
import { useState } from "preact/hooks";
import { byTime, figuresOf } from "../logic/drills.ts";
import { Awaited, Card, Empty } from "../parts/card.tsx";
import { Chart } from "../parts/chart.tsx";
import { Form } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Check, Select } from "../parts/input.tsx";
import { Table } from "../parts/table.tsx";
import { count, duration, moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api, may } from "../state/session.ts";
import { status } from "../state/live.ts";
import { language, words } from "../state/settings.ts";
import type { DrillResult, DrillsShown } from "@futago/firmware/runtime/control-drill.ts";

const busyMillis = 1_000;
const quietMillis = 6_000;

export function DrillCard() {
  const say = words.value.pair;
  const asked = useAsked(
    () => api.call("GET drill"),
    [status.value?.lastDrill?.at],
    (shown) => (shown?.running === null ? quietMillis : busyMillis),
  );
  return (
    <Card title={say.drill} icon="diagnostics">
      <p class="quiet">{say.drillLead}</p>
      <Awaited asked={asked}>
        {(shown) => (
          <>
            <Progress shown={shown} />
            {may("operate") && shown.running === null && <Begin onBegun={asked.again} />}
            <p class="quiet">{shown.schedule === null ? say.noSchedule : say.schedule(shown.schedule)}</p>
            {shown.results.length === 0 ? <Empty text={say.noDrills} /> : <Results results={shown.results} />}
          </>
        )}
      </Awaited>
    </Card>
  );
}

function Progress({ shown }: { readonly shown: DrillsShown }) {
  const say = words.value.pair;
  if (shown.running !== null) {
    return (
      <div role="status">
        <p>{say.running(shown.running.phase)}</p>
        <progress aria-label={say.running(shown.running.phase)} />
      </div>
    );
  }
  return shown.trouble === null ? null : (
    <p class="bad-text">
      <Icon name="alert" size={16} /> {shown.trouble}
    </p>
  );
}

function Begin({ onBegun }: { readonly onBegun: () => Promise<void> }) {
  const say = words.value.pair;
  const [how, setHow] = useState("planned");
  const [back, setBack] = useState(true);
  const send = async () => {
    await api.call("POST drill", { body: { how: how === "killed" ? "killed" : "planned", back } });
    await onBegun();
  };
  return (
    <Form send={say.begin} onSend={send} because={status.value?.peer?.alive === true ? undefined : say.noPeerBecause}>
      <Select
        label={say.how}
        value={how}
        onValue={setHow}
        options={[
          ["planned", say.planned],
          ["killed", say.killed],
        ]}
      />
      <Check label={say.back} value={back} onValue={setBack} />
    </Form>
  );
}

function Results({ results }: { readonly results: readonly DrillResult[] }) {
  const say = words.value.pair;
  const ordered = byTime(results);
  const format = new Intl.DateTimeFormat(language.value, { dateStyle: "short" });
  return (
    <>
      {ordered.length > 1 && (
        <Chart
          label={say.longest}
          first={say.at}
          at={ordered.map(({ at }) => Date.parse(at) / 1000)}
          lines={[
            {
              label: say.longest,
              colour: "--accent",
              dashed: false,
              values: ordered.map((one) => figuresOf(one).longestMicros),
            },
            {
              label: say.allowed,
              colour: "--wait",
              dashed: true,
              values: ordered.map((one) => one.allowed.silenceMicros),
            },
          ]}
          text={duration}
          atText={(at) => format.format(at * 1000)}
        />
      )}
      <Table
        label={say.results}
        columns={[say.at, say.how, say.by, say.longest, say.lost, say.kept, say.verdict]}
        numbers={[3, 4, 5]}
        rows={results.map((one) => {
          const { longestMicros, lost } = figuresOf(one);
          const { before, after } = one.connections;
          return {
            key: one.id,
            cells: [
              moment(one.at),
              say.hows[one.how],
              one.by,
              longestMicros === null ? "–" : duration(longestMicros),
              count(lost),
              say.keptOf(count(after), count(before)),
              <Verdict result={one} />,
            ],
          };
        })}
      />
    </>
  );
}

export function Verdict({ result }: { readonly result: DrillResult }) {
  const say = words.value.pair;
  const good = result.worse.length === 0;
  return (
    <span class={good ? "good-text" : "bad-text"} title={result.worse.join(" ")}>
      <Icon name={good ? "check" : "alert"} size={15} /> {good ? say.passed : say.worse}
    </span>
  );
}
