/** Looking at the network from the box. */
import { Awaited, Card, Empty, PageHead } from "../parts/card.tsx";
import { Table } from "../parts/table.tsx";
import { useAsked } from "../parts/asked.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { CaptureCard } from "./capture-card.tsx";
import { PingCard, TracerouteCard } from "./probe-card.tsx";

const askMillis = 5_000;

export function Diagnostics() {
  return (
    <>
      <PageHead title={words.value.shell.pages.diagnostics} />
      {may("operate") && (
        <div class="cards">
          <PingCard />
          <TracerouteCard />
        </div>
      )}
      {may("operate") && <CaptureCard />}
      <Neighbours />
    </>
  );
}

function Neighbours() {
  const { tools: say, shell } = words.value;
  const asked = useAsked(() => api.call("GET neighbours"), [], askMillis);
  return (
    <Card title={say.neighbours} icon="network">
      <Awaited asked={asked}>
        {(neighbours) =>
          neighbours.length === 0 ? (
            <Empty text={say.noNeighbours} />
          ) : (
            <Table
              label={say.neighbours}
              columns={[say.device, say.address, say.mac, say.state, say.managed]}
              rows={neighbours.map((one) => ({
                key: `${one.device} ${one.address}`,
                cells: [
                  <code>{one.device}</code>,
                  <code>{one.address}</code>,
                  <code>{one.mac ?? "–"}</code>,
                  one.state,
                  one.managed ? shell.yes : shell.no,
                ],
              }))}
            />
          )
        }
      </Awaited>
    </Card>
  );
}
