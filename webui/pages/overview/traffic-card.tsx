/** What the ports of both boxes carried in the last minutes. */
import { Card } from "../parts/card.tsx";
import { Chart } from "../parts/chart.tsx";
import { bitRate, timeOfDay } from "../parts/text.ts";
import { boxes, traffic } from "../state/live.ts";
import { words } from "../state/settings.ts";

export function TrafficCard() {
  const { overview, shell } = words.value;
  const letters = (boxes.value?.boxes ?? []).map(({ box }) => box).sort();
  const { samples } = traffic.value;
  if (samples.length < 2) return null;
  const lines = letters.flatMap((box) => [
    {
      label: overview.receivedBy(shell.boxName(box)),
      colour: `--box-${box}`,
      dashed: false,
      values: samples.map((sample) => sample.boxes[box]?.received ?? null),
    },
    {
      label: overview.sentBy(shell.boxName(box)),
      colour: `--box-${box}`,
      dashed: true,
      values: samples.map((sample) => sample.boxes[box]?.sent ?? null),
    },
  ]);

  return (
    <Card title={overview.traffic} icon="diagnostics">
      <p class="quiet">{overview.trafficNote}</p>
      <Chart
        label={overview.traffic}
        first={overview.time}
        at={samples.map(({ atMillis }) => atMillis / 1000)}
        lines={lines}
        least={1_000}
        text={bitRate}
        atText={(seconds) => timeOfDay(seconds * 1000)}
      />
    </Card>
  );
}
