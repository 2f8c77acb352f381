/** Who serves, how well the boxes see each other, and changing roles. */
import { Ask } from "../parts/ask.tsx";
import { Card, Facts } from "../parts/card.tsx";
import { EditButton, useEditing } from "../parts/editing.tsx";
import { Icon } from "../parts/icon.tsx";
import { RoleChip } from "../parts/role.tsx";
import { decimal, duration } from "../parts/text.ts";
import { status } from "../state/live.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function RolesCard() {
  const { pair: say, shell, overview } = words.value;
  const { edit, dialog } = useEditing();
  const shown = status.value;
  const peer = shown?.peer;
  if (shown === undefined || peer === undefined || peer === null) return null;
  const beat = shown.heartbeat;
  return (
    <Card
      title={say.now}
      icon="pair"
      actions={
        <EditButton
          of={say.settings}
          text={say.settings}
          onPress={() =>
            edit({
              title: say.settings,
              names: ["pair"],
              place: "pair",
              first: ["standby", "partition", "witnesses", "heartbeat", "drill"],
            })
          }
        />
      }
    >
      <Facts
        rows={[
          [`${shell.boxName(shown.box)} (${shown.hostname})`, <RoleChip role={shown.role} />],
          [
            say.peer,
            <>
              <RoleChip role={peer.role} />{" "}
              <span class={peer.alive ? "good-text" : "bad-text"}>
                <Icon name={peer.alive ? "check" : "fault"} size={15} /> {peer.alive ? say.alive : say.silent}
              </span>
            </>,
          ],
          [say.cores, shown.pairing.linked ? say.linked : say.notLinked],
          [
            say.heartbeat,
            beat === null ? "–" : say.beat(`${decimal(beat.deadMs, 1)} ms`, `${decimal(beat.latenessP999Ms, 2)} ms`),
          ],
          [
            say.paths,
            <ul class="plain-rows">
              {peer.paths.map((path) => (
                <li key={path.interface} class={path.alive ? "good-text" : "bad-text"}>
                  <Icon name={path.alive ? "beat" : "cross"} size={15} />{" "}
                  {say.pathState(
                    path.interface,
                    path.alive && path.rttMicros !== null
                      ? duration(path.rttMicros)
                      : overview.beat[path.alive ? "alive" : "silent"],
                  )}
                </li>
              ))}
            </ul>,
          ],
        ]}
      />
      {may("operate") && <RoleActions peerAlive={peer.alive} />}
      {dialog}
    </Card>
  );
}

function RoleActions({ peerAlive }: { readonly peerAlive: boolean }) {
  const { pair: say, shell } = words.value;
  const shown = status.value;
  if (shown === undefined) return null;
  const isActive = shown.role === "active";
  const inMaintenance = shown.role === "maintenance";
  const because = peerAlive ? undefined : say.noPeerBecause;
  return (
    <>
      {inMaintenance && <p class="wait-text">{say.inMaintenance}</p>}
      <div class="actions">
        {!inMaintenance && shown.activation === null && (
          <Ask
            title={isActive ? say.handOver : say.takeOver}
            text={say.handOverAsk}
            icon="swap"
            kind="main"
            because={because}
            act={async () => (await api.call("POST switchover", { body: {} })).message}
          />
        )}
        {inMaintenance ? (
          <Ask
            key="off"
            title={say.maintenanceOff}
            text={say.inMaintenance}
            icon="maintenance"
            act={async () => (await api.call("POST maintenance", { body: { on: false } })).message}
          />
        ) : (
          <Ask
            key="on"
            title={say.maintenanceOn}
            text={say.maintenanceAsk(shell.boxName(shown.box))}
            icon="maintenance"
            because={because}
            act={async () => (await api.call("POST maintenance", { body: { on: true } })).message}
          />
        )}
      </div>
    </>
  );
}
