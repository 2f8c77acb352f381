/** One's own password. */
import { useState } from "preact/hooks";
import { Card } from "../parts/card.tsx";
import { Form } from "../parts/form.tsx";
import { Input } from "../parts/input.tsx";
import { tell } from "../state/notices.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function PasswordCard() {
  const { system: say, access } = words.value;
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const send = async () => {
    await api.call("PUT session/password", { body: { old, password } });
    setOld("");
    setPassword("");
    tell(say.passwordChanged);
  };
  return (
    <Card title={say.password} icon="lock">
      <Form send={say.changePassword} onSend={send}>
        <Input label={say.oldPassword} type="password" value={old} onValue={setOld} autocomplete="current-password" />
        <Input
          label={say.newPassword}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="new-password"
          hint={access.passwordHint}
        />
      </Form>
    </Card>
  );
}
