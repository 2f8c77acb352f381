/** A backup file out of the box, and one into it. */
import { useState } from "preact/hooks";
import { base64, deviceMap } from "../logic/restore-options.ts";
import { Card } from "../parts/card.tsx";
import { download } from "../parts/download.ts";
import { Form } from "../parts/form.tsx";
import { Check, Input } from "../parts/input.tsx";
import { tell } from "../state/notices.ts";
import { api } from "../state/session.ts";
import { status } from "../state/live.ts";
import { words } from "../state/settings.ts";

export function BackupCard() {
  const say = words.value.system;
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const send = async () => {
    const name = `${status.value?.hostname ?? "futago"}-${new Date().toISOString().slice(0, 10)}.age`;
    await download(await api.raw("POST", "backup", { body: { passphrase } }), name);
    setPassphrase("");
    setAgain("");
    tell(say.backupMade);
  };
  const differ = passphrase !== again && again !== "";
  return (
    <Card title={say.backup} icon="download">
      <p class="quiet">{say.backupLead}</p>
      <Form
        send={say.makeBackup}
        onSend={send}
        because={passphrase === "" || passphrase !== again ? say.passphraseAgain : undefined}
      >
        <Input
          label={say.passphrase}
          type="password"
          value={passphrase}
          onValue={setPassphrase}
          autocomplete="new-password"
        />
        <Input
          label={say.passphraseAgain}
          type="password"
          value={again}
          onValue={setAgain}
          autocomplete="new-password"
          error={differ ? say.passphrasesDiffer : undefined}
        />
      </Form>
    </Card>
  );
}

export function RestoreCard() {
  const say = words.value.system;
  const [file, setFile] = useState<File | undefined>(undefined);
  const [passphrase, setPassphrase] = useState("");
  const [map, setMap] = useState("");
  const [force, setForce] = useState(false);
  const send = async () => {
    if (file === undefined) return;
    const done = await api.call("POST restore", {
      body: new Uint8Array(await file.arrayBuffer()),
      headers: {
        "futago-passphrase": base64(passphrase),
        "futago-options": JSON.stringify({ map: deviceMap(map), force }),
      },
    });
    tell([say.restored(done.revision.slice(0, 12)), ...done.remarks].join(" "));
  };
  return (
    <Card title={say.restore} icon="up">
      <p class="quiet">{say.restoreLead}</p>
      <Form send={say.doRestore} onSend={send} because={file === undefined ? say.file : undefined} kind="danger">
        <div class="field">
          <label for="restore-file">{say.file}</label>
          <input id="restore-file" type="file" onChange={(event) => setFile(event.currentTarget.files?.[0])} />
        </div>
        <Input label={say.passphrase} type="password" value={passphrase} onValue={setPassphrase} />
        <Input label={say.deviceMap} value={map} onValue={setMap} />
        <Check label={say.restoreForce} value={force} onValue={setForce} />
      </Form>
    </Card>
  );
}
