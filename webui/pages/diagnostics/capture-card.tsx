/** Packets of the balancer as a file. */
import { useState } from "preact/hooks";
import { Card } from "../parts/card.tsx";
import { download } from "../parts/download.ts";
import { Form } from "../parts/form.tsx";
import { Input, Select } from "../parts/input.tsx";
import { status } from "../state/live.ts";
import { tell } from "../state/notices.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function CaptureCard() {
  const say = words.value.tools;
  const [service, setService] = useState("");
  const [client, setClient] = useState("");
  const [packets, setPackets] = useState("1000");
  const [seconds, setSeconds] = useState("10");
  const services = status.value?.services ?? [];
  if (services.length === 0) return null;
  const send = async () => {
    const body = {
      ...(service === "" ? {} : { service }),
      ...(client.trim() === "" ? {} : { client: client.trim() }),
      count: Number(packets),
      seconds: Number(seconds),
    };
    await download(await api.raw("POST", "capture", { body }), "futago.pcapng");
    tell(say.captured);
  };
  return (
    <Card title={say.capture} icon="download">
      <p class="quiet">{say.captureLead}</p>
      <Form send={say.doCapture} onSend={send}>
        <div class="two">
          <Select
            label={say.service}
            value={service}
            onValue={setService}
            options={[["", say.everyService], ...services.map(({ name }) => [name, name] as const)]}
          />
          <Input label={say.client} value={client} onValue={setClient} />
          <Input label={say.packets} value={packets} onValue={setPackets} numeric />
          <Input label={say.seconds} value={seconds} onValue={setSeconds} numeric />
        </div>
      </Form>
    </Card>
  );
}
