/** What browsers are shown: the boxes' own certificate, or one that was uploaded. */
import { useState } from "preact/hooks";
import { ApiProblem } from "../../client/problem.ts";
import { Ask } from "../parts/ask.tsx";
import { Awaited, Card, Facts } from "../parts/card.tsx";
import { Form } from "../parts/form.tsx";
import { TextArea } from "../parts/text-area.tsx";
import { moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { told } from "../parts/trouble.tsx";
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

interface Wrong {
  readonly certificate?: string;
  readonly key?: string;
}

/** Which of the two the box refused, and why; nothing where it was neither. */
function wrongOf(error: unknown): Wrong {
  if (!(error instanceof ApiProblem)) return {};
  const { text, mend } = told(error);
  const sentence = [text, mend].filter((one) => one !== undefined).join(" – ");
  if (error.problem.reason.startsWith("key")) return { key: sentence };
  return /^c(ertificate|hain)/.test(error.problem.reason) ? { certificate: sentence } : {};
}

function Upload({ again }: { readonly again: () => Promise<void> }) {
  const say = words.value.system;
  const [certificate, setCertificate] = useState("");
  const [key, setKey] = useState("");
  const [wrong, setWrong] = useState<Wrong>({});
  const send = async () => {
    setWrong({});
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
        <Form
          send={say.upload}
          onSend={send}
          onTrouble={(error) => {
            const found = wrongOf(error);
            setWrong(found);
            return Object.keys(found).length > 0;
          }}
        >
          <TextArea label={say.certificatePem} value={certificate} onValue={setCertificate} error={wrong.certificate} />
          <TextArea label={say.keyPem} value={key} onValue={setKey} error={wrong.key} />
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
