/** The machine: anew, off, or as it came from the factory. Each wants its name typed. */
import { Ask } from "../parts/ask.tsx";
import { Card } from "../parts/card.tsx";
import { status } from "../state/live.ts";
import { access, api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function PowerCard() {
  const say = words.value.system;
  const hostname = status.value?.hostname ?? access.value?.hostname ?? "futago";
  return (
    <Card title={say.power} icon="power">
      <div class="actions">
        <Ask
          title={say.reboot}
          text={say.rebootAsk}
          icon="refresh"
          word={hostname}
          force={say.force}
          act={async (force) => (await api.call("POST reboot", { body: { force } })).message}
        />
        <Ask
          title={say.poweroff}
          text={say.poweroffAsk}
          icon="power"
          kind="danger"
          word={hostname}
          force={say.force}
          act={async (force) => (await api.call("POST poweroff", { body: { force } })).message}
        />
        <Ask
          title={say.factoryReset}
          text={say.factoryResetAsk}
          icon="bin"
          kind="danger"
          word={hostname}
          force={say.force}
          act={async (force) => (await api.call("POST factory-reset", { body: { force } })).message}
        />
      </div>
    </Card>
  );
}
