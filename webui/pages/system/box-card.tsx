/** The box that answers, and what of the configuration is about the box itself. */
import { Card, Facts } from "../parts/card.tsx";
import { EditButton, useEditing } from "../parts/editing.tsx";
import { moment, span } from "../parts/text.ts";
import { boxes, status } from "../state/live.ts";
import { words } from "../state/settings.ts";

export function BoxCard() {
  const { system: say, shell } = words.value;
  const { edit, dialog } = useEditing();
  const system = status.value?.system;
  const slot = system?.slot ?? null;
  const own = boxes.value?.boxes.find((box) => box.own);
  return (
    <Card title={say.box} icon="system">
      {own !== undefined && (
        <Facts
          rows={[
            [shell.boxName(own.box), own.hostname],
            [say.version, system?.version ?? own.version],
            ...(slot === null ? [] : [[say.slot, slot.toUpperCase()] as const]),
            [say.uptime, own.uptimeSeconds === null ? "–" : span(own.uptimeSeconds)],
            [say.time, moment(own.at)],
          ]}
        />
      )}
      <div class="actions">
        <EditButton
          of={say.box}
          text={say.hostname}
          onPress={() =>
            edit({ title: say.hostname, names: ["system"], place: "system", first: ["hostname", "timezone"] })
          }
        />
        <EditButton
          of={say.box}
          text={say.balancer}
          onPress={() => edit({ title: say.balancer, names: ["balancer"], place: "balancer", first: ["flows"] })}
        />
      </div>
      {dialog}
    </Card>
  );
}
