/** The box's own addresses, put into force with a way back. */
import { useState } from "preact/hooks";
import { at, forBox, listAt, textAt } from "../logic/document.ts";
import { withAddresses } from "../logic/first-steps.ts";
import { waitWish } from "../change/confirm-waits.ts";
import { Form } from "../parts/form.tsx";
import { Input } from "../parts/input.tsx";
import { candidate, changeAndCommit } from "../state/candidate.ts";
import { boxes, status } from "../state/live.ts";
import { tell } from "../state/notices.ts";
import { words } from "../state/settings.ts";

const confirmSeconds = 120;

export function AddressesStep({ onDone }: { readonly onDone: () => void }) {
  const { start: say } = words.value;
  const interfaces = listAt(candidate.value, "interfaces");
  const ports = boxes.value?.boxes.find((box) => box.own)?.ports ?? [];
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const route = listAt(candidate.value, "routes").find((one) => textAt(one, "to") === "default");
  const [gateway, setGateway] = useState(textAt(route, "via"));
  const addressesOf = (name: string, device: string) => {
    const known = forBox(
      at(
        interfaces.find((one) => textAt(one, "name") === name),
        ["addresses"],
      ),
      "a",
    );
    const present = ports.find((port) => port.device === device)?.addresses ?? [];
    const list = Array.isArray(known) ? known : present.filter((address) => !address.startsWith("fe80:"));
    return typed[name] ?? list.join(" ");
  };
  const rows = interfaces.map((one) => {
    const name = textAt(one, "name");
    return { name, addresses: addressesOf(name, textAt(one, "device")) };
  });
  const send = async () => {
    const comment = words.value.shell.pages.start;
    await changeAndCommit(
      (document) => withAddresses(document, rows, gateway.trim()),
      () => ({ comment, ...waitWish(confirmSeconds) }),
    );
    if (status.value?.unconfirmed !== null) tell(say.keep);
    onDone();
  };
  return (
    <Form send={say.putIntoForce} onSend={send}>
      <p class="quiet">{say.addressesLead}</p>
      {rows.map(({ name, addresses }) => (
        <Input
          key={name}
          label={say.addressesOf(name)}
          value={addresses}
          onValue={(value) => setTyped({ ...typed, [name]: value })}
        />
      ))}
      <Input label={say.gateway} value={gateway} onValue={setGateway} />
    </Form>
  );
}
