/** The ceremony, then what the other box's ports and addresses are. */
import { useState } from "preact/hooks";
import { forBox, listAt, textAt } from "../logic/document.ts";
import { withPeer } from "../logic/first-steps.ts";
import { Awaited } from "../parts/card.tsx";
import { waitWish } from "../change/confirm-waits.ts";
import { Form } from "../parts/form.tsx";
import { Input } from "../parts/input.tsx";
import { useAsked } from "../parts/asked.ts";
import { Ceremony } from "../pair/ceremony.tsx";
import { candidate, changeAndCommit } from "../state/candidate.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";
import type { StepProps } from "./step.ts";

const askMillis = 1_000;
const confirmSeconds = 120;

export function PairStep({ onDone, onSkip }: StepProps) {
  const { start: say } = words.value;
  const asked = useAsked(() => api.call("GET pair"), [], askMillis);
  return (
    <div class="form">
      <p class="quiet">{say.pairLead}</p>
      <Awaited asked={asked}>
        {(shown) => (
          <>
            {(shown.kind === "alone" || shown.kind === "left") && <Ceremony shown={shown} again={asked.again} />}
            {shown.kind !== "alone" && shown.kind !== "left" && <PeerForm own={shown.box ?? "a"} onDone={onDone} />}
          </>
        )}
      </Awaited>
      <div>
        <button type="button" class="button quiet" onClick={onSkip}>
          {say.withoutPeer}
        </button>
      </div>
    </div>
  );
}

function PeerForm({ own, onDone }: { readonly own: "a" | "b"; readonly onDone: () => void }) {
  const { start: say } = words.value;
  const interfaces = listAt(candidate.value, "interfaces");
  const [devices, setDevices] = useState<Readonly<Record<string, string>>>({});
  const [addresses, setAddresses] = useState<Readonly<Record<string, string>>>({});
  const rows = interfaces.map((one) => {
    const name = textAt(one, "name");
    const device = forBox(one["device"], own);
    return {
      name,
      device: devices[name] ?? (typeof device === "string" ? device : ""),
      addresses: addresses[name] ?? "",
    };
  });
  const send = async () => {
    const comment = words.value.start.steps.pair;
    await changeAndCommit(
      (document) => withPeer(document, own, rows),
      () => ({ comment, ...waitWish(confirmSeconds) }),
    );
    onDone();
  };
  return (
    <Form send={say.makePair} onSend={send}>
      <p>{say.peerLead}</p>
      {rows.map(({ name, device, addresses: text }) => (
        <div key={name} class="two">
          <Input
            label={say.deviceOf(name)}
            value={device}
            onValue={(value) => setDevices({ ...devices, [name]: value })}
          />
          <Input
            label={say.peerAddressesOf(name)}
            value={text}
            onValue={(value) => setAddresses({ ...addresses, [name]: value })}
          />
        </div>
      ))}
    </Form>
  );
}
