/** On a box without a configuration: the backup files of a USB stick, each of which makes it the box that was backed up. */
import { useState } from "preact/hooks";
import { deviceMap } from "../logic/restore-options.ts";
import { useAsked } from "../parts/asked.ts";
import { Card } from "../parts/card.tsx";
import { Form } from "../parts/form.tsx";
import { Check, Input, Select } from "../parts/input.tsx";
import { tell } from "../state/notices.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

/** A stick may be put in while the page is open. */
const askMillis = 3_000;

export function Stick() {
  const { start: say, system } = words.value;
  const { answer } = useAsked(() => api.call("GET restore"), [], askMillis);
  const [chosen, choose] = useState<string | undefined>(undefined);
  const [passphrase, setPassphrase] = useState("");
  const [map, setMap] = useState("");
  const [force, setForce] = useState(false);
  const files = answer?.files ?? [];
  const name = chosen !== undefined && files.includes(chosen) ? chosen : files[0];
  if (name === undefined) return null;
  const send = async () => {
    const done = await api.call("POST restore/stick", { body: { name, passphrase, map: deviceMap(map), force } });
    tell([system.restored(done.revision.slice(0, 12)), ...done.remarks].join(" "));
  };
  return (
    <Card title={say.stick} icon="up" class="beside-steps">
      <p class="quiet">{say.stickLead}</p>
      <Form send={system.doRestore} onSend={send} because={passphrase === "" ? system.passphrase : undefined}>
        <Select
          label={system.file}
          value={name}
          onValue={choose}
          options={files.map((file) => [file, file.replace(/^\d-/, "")])}
        />
        <Input label={system.passphrase} type="password" value={passphrase} onValue={setPassphrase} />
        <Input label={system.deviceMap} value={map} onValue={setMap} />
        <Check label={system.restoreForce} value={force} onValue={setForce} />
      </Form>
    </Card>
  );
}
