/** The ceremony step by step: a code from one box to the other, then the same digits on both. */
import { useState } from "preact/hooks";
import type { CeremonyShown } from "@futago/firmware/runtime/control-pairing.ts";
import { Act } from "../parts/act.tsx";
import { Form } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Check, Input } from "../parts/input.tsx";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";
import type { PairingProps } from "./pairing-props.ts";

export function Ceremony({ shown, again }: PairingProps) {
  const { ceremony } = shown;
  return (
    <div class="ceremony" aria-live="polite">
      <Last ceremony={ceremony} />
      {ceremony.phase === "idle" ? (
        <Begin shown={shown} again={again} />
      ) : (
        <UnderWay ceremony={ceremony} again={again} />
      )}
    </div>
  );
}

function Last({ ceremony }: { readonly ceremony: CeremonyShown }) {
  const say = words.value.pair;
  const { last } = ceremony;
  if (last === null || ceremony.phase !== "idle") return null;
  if (last.kind === "paired") {
    return (
      <p class="verdict good">
        <Icon name="check" /> {say.nowPaired(last.letter)}
      </p>
    );
  }
  return (
    <p class="verdict bad">
      <Icon name="alert" /> {say.failed(say.failures[last.refusal])}
    </p>
  );
}

function Begin({ shown, again }: PairingProps) {
  const say = words.value.pair;
  const [code, setCode] = useState("");
  const [replace, setReplace] = useState(false);
  const hasPeer = shown.kind === "paired";
  return (
    <details class="more" open={!hasPeer}>
      <summary>{hasPeer ? say.inviteReplace : say.pairing}</summary>
      <div class="two">
        <div class="form">
          <Act
            kind="main"
            icon="plus"
            act={async () => {
              await api.call("POST pair/invite", { body: { replace: hasPeer } });
              await again();
            }}
          >
            {say.invite}
          </Act>
        </div>
        <Form
          send={say.join}
          onSend={async () => {
            await api.call("POST pair/join", { body: { code: code.trim(), replace } });
            await again();
          }}
        >
          <Input label={say.code} value={code} onValue={setCode} />
          <Check label={say.joinReplace} value={replace} onValue={setReplace} />
        </Form>
      </div>
    </details>
  );
}

function UnderWay({ ceremony, again }: { readonly ceremony: CeremonyShown; readonly again: () => Promise<void> }) {
  const say = words.value.pair;
  const answer = (yes: boolean) => async () => {
    await api.call("POST pair/answer", { body: { yes } });
    await again();
  };
  return (
    <div class="form">
      <p>
        {ceremony.phase !== "comparing" && <span class="spinner" aria-hidden="true" />} {say.phases[ceremony.phase]}
      </p>
      {ceremony.code !== null && (
        <div>
          <p class="quiet">{say.codeIs}</p>
          <p class="big-code">{ceremony.code}</p>
        </div>
      )}
      {ceremony.secondsLeft !== null && <p class="quiet">{say.secondsLeft(ceremony.secondsLeft)}</p>}
      {ceremony.wrongTries > 0 && <p class="bad-text">{say.wrongTries(ceremony.wrongTries)}</p>}
      {ceremony.digits !== null && (
        <div>
          <p class="big-code">{ceremony.digits}</p>
          <p>{say.digitsAsk}</p>
        </div>
      )}
      <div class="actions">
        {ceremony.phase === "comparing" && (
          <>
            <Act kind="main" icon="check" act={answer(true)}>
              {say.same}
            </Act>
            <Act kind="danger" icon="cross" act={answer(false)}>
              {say.different}
            </Act>
          </>
        )}
        <Act
          kind="quiet"
          act={async () => {
            await api.call("POST pair/cancel", { body: {} });
            await again();
          }}
        >
          {say.pairingCancel}
        </Act>
      </div>
    </div>
  );
}
