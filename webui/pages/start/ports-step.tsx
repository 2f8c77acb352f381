/** Which port is which. */
import { useState } from "preact/hooks";
import { listAt, textAt } from "../logic/document.ts";
import { proposedPorts, withPorts } from "../logic/first-steps.ts";
import { Form } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Input } from "../parts/input.tsx";
import { candidate, changeDocument } from "../state/candidate.ts";
import { boxes } from "../state/live.ts";
import { words } from "../state/settings.ts";

export function PortsStep({ onDone }: { readonly onDone: () => void }) {
  const { start: say, overview } = words.value;
  const ports = boxes.value?.boxes.find((box) => box.own)?.ports ?? [];
  const named = new Map(
    listAt(candidate.value, "interfaces").map((one) => [textAt(one, "device"), textAt(one, "name")]),
  );
  const proposed = new Map(proposedPorts(ports).map(({ device, name }) => [device, name]));
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const nameOf = (device: string) =>
    typed[device] ?? named.get(device) ?? (named.size > 0 ? "" : (proposed.get(device) ?? ""));
  const send = async () => {
    const rows = ports.map(({ device }) => ({ device, name: nameOf(device).trim() }));
    await changeDocument((document) => withPorts(document, rows));
    onDone();
  };
  return (
    <Form send={say.next} onSend={send}>
      <p class="quiet">{say.portsLead}</p>
      {ports.map((port) => (
        <div key={port.device} class="port-row">
          <span class={port.carrier ? "good-text" : "quiet"}>
            <Icon name={port.carrier ? "check" : "cross"} size={16} /> <code>{port.device}</code>{" "}
            <small>{port.carrier ? overview.link.up : port.up ? overview.link.down : overview.link.off}</small>
            <small class="quiet"> {port.mac}</small>
          </span>
          <Input
            label={say.portName(port.device)}
            value={nameOf(port.device)}
            onValue={(value) => setTyped({ ...typed, [port.device]: value })}
          />
        </div>
      ))}
    </Form>
  );
}
