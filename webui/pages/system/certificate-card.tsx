/** What browsers are shown: the boxes' own certificate, or one that was uploaded. */
import { useState } from "preact/hooks";
import { Ask } from "../parts/ask.tsx";
import { Awaited, Card, Facts } from "../parts/card.tsx";
import { Form } from "../parts/form.tsx";
import { TextArea } from "../parts/text-area.tsx";
import { moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { tell } from "../state/notices.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function CertificateCard() {
  const say = words.value.system;
  const asked = useAsked(() => api.call("GET certificate"));
  return (
    <Card title={say.certificate} icon="lock">
      <Awaited asked={asked}>
        {(shown) => (
          <>
            <Facts
              rows={[
                [say.fingerprint, <code>{shown.fingerprint.match(/../g)?.join(":") ?? shown.fingerprint}</code>],
                [say.subject, <code>{shown.subject}</code>],
                [say.notAfter, moment(shown.notAfter)],
              ]}
            />
            {shown.selfSigned && <p class="quiet">{say.selfSigned}</p>}
          </>
        )}
      </Awaited>
      {may("admin") && <Upload again={asked.again} />}
    </Card>
  );
}

function Upload({ again }: { readonly again: () => Promise<void> }) {
  const say = words.value.system;
  const [certificate, setCertificate] = useState("");
  const [key, setKey] = useState("");
  const send = async () => {
    await api.call("PUT certificate", { body: { certificate, key } });
    setCertificate("");
    setKey("");
    tell(say.certificateDone);
    await again();
  };
  return (
    <>
      <details class="more">
        <summary>{say.ownCertificate}</summary>
        <Form send={say.upload} onSend={send}>
          <TextArea label={say.certificatePem} value={certificate} onValue={setCertificate} />
          <TextArea label={say.keyPem} value={key} onValue={setKey} />
        </Form>
      </details>
      <div>
        <Ask
          title={say.newCertificate}
          text={say.newCertificateAsk}
          icon="refresh"
          act={async () => {
            await api.call("POST certificate/new", { body: {} });
            await again();
            return say.certificateDone;
          }}
        />
      </div>
    </>
  );
}
