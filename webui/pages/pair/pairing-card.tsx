/** How the two boxes came to trust each other, and the ceremony by which they do. */
import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";
import { Act } from "../parts/act.tsx";
import { Ask } from "../parts/ask.tsx";
import { Card, Facts } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { moment } from "../parts/text.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import type { PairingProps } from "./pairing-props.ts";
import { Ceremony } from "./ceremony.tsx";

export function PairingCard({ shown, again }: PairingProps) {
  const say = words.value.pair;
  return (
    <Card title={say.pairing} icon="lock">
      <p>{sentence(shown)}</p>
      {shown.trouble !== null && (
        <p class="bad-text">
          <Icon name="alert" size={16} /> {shown.trouble}
        </p>
      )}
      {shown.kind !== "alone" && shown.configuredAlone && <p class="wait-text">{say.configuredAlone}</p>}
      {shown.pairing !== null && (
        <Facts
          rows={[
            [say.fingerprint, <code>{shown.pairing.fingerprint ?? "–"}</code>],
            [say.peerFingerprint, <code>{shown.pairing.peerFingerprint ?? "–"}</code>],
            [say.metOn, <code>{shown.pairing.device}</code>],
          ]}
        />
      )}
      {may("admin") && shown.kind !== "key" && <Ceremony shown={shown} again={again} />}
      {may("admin") && shown.kind === "paired" && shown.ceremony.phase === "idle" && (
        <Keys shown={shown} again={again} />
      )}
    </Card>
  );
}

function sentence(shown: PairingShown): string {
  const say = words.value.pair;
  switch (shown.kind) {
    case "alone":
      return say.alone;
    case "left":
      return say.left;
    case "key":
      return say.byKey;
    case "paired":
      return say.paired(shown.pairing === null ? "–" : moment(shown.pairing.since));
  }
}

function Keys({ shown, again }: PairingProps) {
  const say = words.value.pair;
  return (
    <div class="actions">
      <Act
        icon="refresh"
        because={shown.pairing?.rotating === true ? say.rotating : undefined}
        act={async () => {
          await api.call("POST pair/rotate", { body: {} });
          await again();
        }}
      >
        {say.rotate}
      </Act>
      <Ask
        title={say.unpair}
        text={say.unpairAsk}
        kind="danger"
        icon="cross"
        word="unpair"
        act={async () => {
          const { message } = await api.call("POST pair/unpair", { body: {} });
          await again();
          return message;
        }}
      />
    </div>
  );
}
