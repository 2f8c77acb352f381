/** The front of the box, and the watchdog behind it. Nothing where the machine is not the box's own. */
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { Act } from "../parts/act.tsx";
import { Card, Facts } from "../parts/card.tsx";
import { status } from "../state/live.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

type Panel = NonNullable<BoxStatus["panel"]>;

export function PanelCard() {
  const say = words.value.system;
  const panel = status.value?.panel;
  if (panel === undefined || panel === null) return null;
  const { board, button, lights, locating, watchdog } = panel;
  const hasLights = Object.keys(lights).length > 0;
  return (
    <Card title={say.panel} icon="lamp">
      <Facts
        rows={[
          [say.board, board],
          [say.button, say.buttonStates[button]],
          [say.watchdog, watchdogText(watchdog)],
        ]}
      />
      {locating && <p class="wait-text">{say.locating}</p>}
      {hasLights && may("operate") && (
        <div class="actions">
          <Act icon="lamp" act={async () => (await api.call("POST locate", { body: { on: !locating } })).message}>
            {locating ? say.locateOff : say.locateOn}
          </Act>
        </div>
      )}
    </Card>
  );
}

function watchdogText(watchdog: Panel["watchdog"]): string {
  const { watchdogStates: states } = words.value.system;
  if (watchdog === null) return states.none;
  switch (watchdog.state) {
    case "armed":
      return states.armed(watchdog.seconds ?? 0);
    case "none":
      return states.none;
    case "refused":
    case "starving":
      return states[watchdog.state](watchdog.reason ?? "");
  }
}
