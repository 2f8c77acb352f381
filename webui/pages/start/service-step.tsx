/** A virtual address, the backends behind it, and the service that joins them. */
import { useState } from "preact/hooks";
import { listAt, textAt } from "../logic/document.ts";
import { withFirstService } from "../logic/first-steps.ts";
import { waitWish } from "../change/confirm-waits.ts";
import { Form } from "../parts/form.tsx";
import { Input, Select } from "../parts/input.tsx";
import { TextArea } from "../parts/text-area.tsx";
import { candidate, changeAndCommit } from "../state/candidate.ts";
import { tell } from "../state/notices.ts";
import { words } from "../state/settings.ts";

const confirmSeconds = 120;

export function ServiceStep({ onDone }: { readonly onDone: () => void }) {
  const { start: say } = words.value;
  const names = listAt(candidate.value, "interfaces").map((one) => textAt(one, "name"));
  const options = names.map((name) => [name, name] as const);
  const [outside, setOutside] = useState(names[0] ?? "");
  const [address, setAddress] = useState("");
  const [name, setName] = useState("www");
  const [port, setPort] = useState("80");
  const [isNat, setNat] = useState(false);
  const [inside, setInside] = useState(names[1] ?? names[0] ?? "");
  const [gateway, setGateway] = useState("");
  const [backends, setBackends] = useState("");
  const send = async () => {
    const wish = {
      interface: outside,
      address,
      name: name.trim(),
      port,
      mode: isNat ? "nat" : "one-arm",
      inside: isNat ? { interface: inside, address: gateway } : undefined,
      backends,
    } as const;
    const comment = say.steps.service;
    await changeAndCommit(
      (document) => withFirstService(document, wish),
      () => ({ comment, ...waitWish(confirmSeconds) }),
    );
    tell(say.serviceDone);
    onDone();
  };
  return (
    <Form send={say.balance} onSend={send}>
      <p class="quiet">{say.serviceLead}</p>
      <div class="two">
        <Select label={say.vipInterface} value={outside} onValue={setOutside} options={options} />
        <Input label={say.vip} value={address} onValue={setAddress} placeholder="10.1.0.1/24" />
        <Input label={say.serviceName} value={name} onValue={setName} />
        <Input label={say.port} value={port} onValue={setPort} numeric />
      </div>
      <Select
        label={say.mode}
        value={isNat ? "nat" : "one-arm"}
        onValue={(mode) => setNat(mode === "nat")}
        options={[
          ["one-arm", say.oneArm],
          ["nat", say.nat],
        ]}
      />
      {isNat && (
        <div class="two">
          <Select label={say.insideInterface} value={inside} onValue={setInside} options={options} />
          <Input label={say.gatewayVip} value={gateway} onValue={setGateway} placeholder="10.2.0.1/24" />
        </div>
      )}
      <TextArea label={say.backends} value={backends} onValue={setBackends} rows={4} />
    </Form>
  );
}
