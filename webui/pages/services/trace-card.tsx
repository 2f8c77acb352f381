/** Where a packet of a client would go, and every reason on its way. */
import { useState } from "preact/hooks";
import type { TraceShown } from "@futago/firmware/runtime/control.ts";
import { Card } from "../parts/card.tsx";
import { Form } from "../parts/form.tsx";
import { Input } from "../parts/input.tsx";
import { decimal } from "../parts/text.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function TraceCard({ service }: { readonly service: string }) {
  const say = words.value.services;
  const [client, setClient] = useState("");
  const [clientPort, setPort] = useState("");
  const [shown, setShown] = useState<TraceShown | undefined>(undefined);
  const send = async () => {
    setShown(undefined);
    const query = { client: client.trim(), service, ...(clientPort === "" ? {} : { clientPort: Number(clientPort) }) };
    setShown(await api.call("GET trace", { query }));
  };
  return (
    <Card title={say.trace} icon="diagnostics">
      <p class="quiet">{say.traceLead}</p>
      <Form send={say.doTrace} onSend={send}>
        <div class="two">
          <Input label={say.clientAddress} value={client} onValue={setClient} />
          <Input label={say.clientPort} value={clientPort} onValue={setPort} numeric />
        </div>
      </Form>
      {shown !== undefined && <Way shown={shown} />}
    </Card>
  );
}

function Way({ shown }: { readonly shown: TraceShown }) {
  const { outcome } = words.value.services;
  const all = shown.backends.reduce((sum, { share }) => sum + share, 0);
  return (
    <div role="status">
      <ol class="steps">
        {shown.steps.map((step) => (
          <li key={step.sentence}>{step.sentence}</li>
        ))}
      </ol>
      <p class={`verdict ${shown.outcome === "dropped" ? "bad" : "good"}`}>
        {outcome[shown.outcome]}{" "}
        {shown.backends
          .map(({ id, share }) =>
            shown.backends.length === 1 || all === 0 ? id : `${id} (${decimal((share / all) * 100, 0)} %)`,
          )
          .join(", ")}
        {shown.counter !== null && <code> {shown.counter}</code>}
      </p>
    </div>
  );
}
