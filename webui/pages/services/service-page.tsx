/** One service in depth: its health and what it went through, its traffic, its connections, and where a packet would go. */
import { useEffect, useState } from "preact/hooks";
import { fieldText } from "../logic/log-fields.ts";
import { Card, Awaited, Empty, PageHead } from "../parts/card.tsx";
import { Chart } from "../parts/chart.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Table } from "../parts/table.tsx";
import { ago, bitRate, clock, count, duration, timeOfDay } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { serviceRates, status } from "../state/live.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { ServiceCard } from "./service-card.tsx";
import { TraceCard } from "./trace-card.tsx";

const askMillis = 3_000;
const samplesMax = 180;
const eventsMax = 50;

export function ServicePage({ name }: { readonly name: string }) {
  const say = words.value.services;
  const service = status.value?.services.find((one) => one.name === name);
  return (
    <>
      <PageHead title={name}>
        <Link page="services" class="button quiet">
          {say.back}
        </Link>
      </PageHead>
      {service === undefined ? (
        <Empty text={say.noSuch} />
      ) : (
        <>
          <ServiceCard service={service} whole />
          <Rates name={name} />
          <Health name={name} pool={service.pool} />
          <TraceCard service={name} />
          <Flows name={name} />
        </>
      )}
    </>
  );
}

function Verdict({ healthy }: { readonly healthy: boolean }) {
  const { health } = words.value.services;
  return (
    <span class={healthy ? "good-text" : "bad-text"}>
      <Icon name={healthy ? "check" : "fault"} size={15} /> {healthy ? health.good : health.bad}
    </span>
  );
}

interface Sample {
  readonly at: number;
  readonly received: number;
  readonly sent: number;
}

function Rates({ name }: { readonly name: string }) {
  const say = words.value.services;
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const { atMillis } = serviceRates.value;
  useEffect(() => {
    const rate = serviceRates.value.rates[name];
    if (rate === undefined) return;
    const sample = { at: atMillis / 1000, received: rate.inBits, sent: rate.outBits };
    setSamples((former) => [...former.slice(1 - samplesMax), sample]);
  }, [atMillis, name]);
  if (samples.length < 2) return null;

  return (
    <Card title={say.traffic} icon="diagnostics">
      <Chart
        label={say.traffic}
        first={words.value.overview.time}
        at={samples.map(({ at }) => at)}
        lines={[
          { label: say.inLine, colour: "--accent", dashed: false, values: samples.map(({ received }) => received) },
          { label: say.outLine, colour: "--good", dashed: true, values: samples.map(({ sent }) => sent) },
        ]}
        least={1_000}
        text={bitRate}
        atText={(at) => timeOfDay(at * 1000)}
      />
    </Card>
  );
}

function Health({ name, pool }: { readonly name: string; readonly pool: string }) {
  const say = words.value.services;
  const asked = useAsked(() => api.call("GET health", { query: { service: name } }), [name], askMillis);
  const events = useAsked(() => api.call("GET log"), [name], askMillis * 4);
  const past = (events.answer ?? []).filter(
    ({ event, fields }) => event === "check-verdict" && fieldText(fields, "subject").startsWith(`pools.${pool}.`),
  );
  return (
    <Card title={say.healthTitle} icon="beat">
      <Awaited asked={asked}>
        {(checks) => (
          <Table
            label={say.healthTitle}
            columns={[say.backend, say.check, say.state, say.answer, say.time, say.since]}
            numbers={[4]}
            rows={checks.map((check) => ({
              key: check.subject,
              cells: [
                check.subject.split(".").at(-1) ?? check.subject,
                <code>{`${check.check} ${check.target}`}</code>,
                <Verdict healthy={check.healthy} />,
                check.reason,
                check.rttMicros === null ? "–" : duration(check.rttMicros),
                ago(check.since),
              ],
            }))}
          />
        )}
      </Awaited>
      <details>
        <summary>{say.healthHistory}</summary>
        {past.length === 0 ? (
          <Empty text={say.noHistory} />
        ) : (
          <ul class="lines">
            {past
              .slice(-eventsMax)
              .toReversed()
              .map(({ at, fields }) => (
                <li key={`${at} ${fieldText(fields, "subject")}`}>
                  <time>{clock(at)}</time> <strong>{fieldText(fields, "subject").split(".").at(-1)}</strong>{" "}
                  <Verdict healthy={fieldText(fields, "verdict") === "healthy"} />{" "}
                  <span class="quiet">{fieldText(fields, "reason")}</span>
                </li>
              ))}
          </ul>
        )}
      </details>
    </Card>
  );
}

function Flows({ name }: { readonly name: string }) {
  const say = words.value.services;
  const asked = useAsked(() => api.call("GET flows", { query: { service: name, limit: 50 } }), [name], askMillis);
  return (
    <Card title={say.flowsTitle} icon="swap">
      <Awaited asked={asked}>
        {({ total, open, flows }) =>
          flows.length === 0 ? (
            <Empty text={say.noFlows} />
          ) : (
            <>
              <p class="quiet">{say.flowsTotal(count(total), count(open))}</p>
              <Table
                label={say.flowsTitle}
                columns={[say.client, say.backend, say.state, say.idle, say.remarks]}
                numbers={[3]}
                rows={flows.map((flow) => ({
                  key: `${flow.client} ${flow.clientPort}`,
                  cells: [
                    <code>{`${flow.client} ${flow.clientPort}`}</code>,
                    flow.backend ?? `${flow.backendAddress} ${flow.backendPort}`,
                    flow.state,
                    duration(flow.idleMillis * 1000),
                    flow.remarks.join(", "),
                  ],
                }))}
              />
            </>
          )
        }
      </Awaited>
    </Card>
  );
}
