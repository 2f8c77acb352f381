/** What was proven about fail-over, on paper. */
import { figuresOf } from "../logic/drills.ts";
import { Awaited, Card, Empty, Facts, PageHead } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Table } from "../parts/table.tsx";
import { count, duration, moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { SurvivalLine } from "../overview/survival.tsx";
import { boxes, status } from "../state/live.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { Verdict } from "./drill-card.tsx";
import { WhyCard } from "./why-card.tsx";
import type { DrillResult } from "@futago/firmware/runtime/control-drill.ts";

export function Report() {
  const { pair: say, shell } = words.value;
  const drills = useAsked(() => api.call("GET drill"));
  return (
    <>
      <PageHead title={say.reportTitle}>
        <Link page="pair" class="button quiet no-print">
          {shell.pages.pair}
        </Link>
        <button type="button" class="button main no-print" onClick={() => print()}>
          <Icon name="logs" size={18} />
          {say.print}
        </button>
      </PageHead>
      <p class="quiet">{say.reportMade(moment(new Date().toISOString()))}</p>
      <SurvivalLine />
      <Card title={say.now} icon="pair">
        <Facts
          rows={[
            ...(boxes.value?.boxes ?? []).map(
              (box) =>
                [
                  shell.boxName(box.box),
                  `${box.hostname} · Futago ${box.version} · ${box.ports.flatMap((port) => port.addresses).join(" ")}`,
                ] as const,
            ),
            [say.revision, <code>{status.value?.revision.slice(0, 16)}</code>],
          ]}
        />
      </Card>
      <Awaited asked={drills}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty text={say.noDrills} />
          ) : (
            <>
              {results.map((one) => (
                <DrillReport key={one.id} result={one} />
              ))}
            </>
          )
        }
      </Awaited>
      <WhyCard />
    </>
  );
}

function DrillReport({ result }: { readonly result: DrillResult }) {
  const { pair: say, shell } = words.value;
  const { longestMicros, lost } = figuresOf(result);
  return (
    <Card title={`${say.drill} · ${moment(result.at)}`} icon="diagnostics">
      <Facts
        rows={[
          [say.verdict, <Verdict result={result} />],
          [say.how, say.hows[result.how]],
          [say.by, result.by],
          [say.longest, longestMicros === null ? "–" : duration(longestMicros)],
          [say.lost, count(lost)],
          [say.kept, say.keptOf(count(result.connections.after), count(result.connections.before))],
          [say.revision, <code>{result.revision.slice(0, 16)}</code>],
        ]}
      />
      {result.worse.map((sentence) => (
        <p key={sentence} class="bad-text">
          {sentence}
        </p>
      ))}
      <p class="quiet">{say.backWords[result.back]}</p>
      <Table
        label={`${say.drill} ${moment(result.at)}`}
        columns={[say.address, say.from, say.longest, say.sent, say.lost, say.pause]}
        numbers={[2, 3, 4, 5]}
        rows={result.vips.map((vip) => ({
          key: vip.address,
          cells: [
            <code>{vip.address}</code>,
            shell.boxName(vip.from),
            vip.silenceMicros === null ? "–" : duration(vip.silenceMicros),
            count(vip.sent),
            count(vip.lost),
            duration(vip.pauseMicros),
          ],
        }))}
      />
    </Card>
  );
}
