/** Before anybody is signed in: a box that is new is claimed, any other asks who comes. */
import { useState } from "preact/hooks";
import { Form } from "../parts/form.tsx";
import { Input } from "../parts/input.tsx";
import { BoxMark } from "../parts/role.tsx";
import { go } from "../state/place.ts";
import { access, api, enter, sessionEnded } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { LookChoice } from "../parts/look.tsx";

export function Access() {
  const box = access.value;
  const { shell } = words.value;
  if (box === undefined) return null;
  return (
    <main class="gate">
      <div class="gate-card">
        <div class="gate-head">
          <BoxMark box={box.box} />
          <div>
            <strong>{box.hostname}</strong>
            <small class="quiet">
              {shell.boxName(box.box)} · Futago {box.version}
            </small>
          </div>
        </div>
        {box.claimed ? <SignIn /> : <Claim />}
      </div>
      <LookChoice />
    </main>
  );
}

function SignIn() {
  const say = words.value.access;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  return (
    <>
      <h1>{say.signIn}</h1>
      {sessionEnded.value && (
        <p class="wait-text" role="status">
          {say.sessionEnded}
        </p>
      )}
      <Form send={say.signIn} onSend={async () => enter(await api.call("POST session", { body: { name, password } }))}>
        <Input label={say.name} value={name} onValue={setName} autocomplete="username" />
        <Input
          label={say.password}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="current-password"
        />
      </Form>
    </>
  );
}

function Claim() {
  const say = words.value.access;
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const send = async () => {
    const session = await api.call("POST claim", { body: { code: code.trim(), name, password } });
    // Before the menu is there: whoever chose a page from it is not taken away again.
    go("start");
    await enter(session);
  };
  return (
    <>
      <h1>{say.claimTitle}</h1>
      <p class="quiet">{say.claimLead}</p>
      <Form send={say.claim} onSend={send}>
        <Input label={say.code} value={code} onValue={setCode} autocomplete="one-time-code" />
        <Input label={say.yourName} value={name} onValue={setName} autocomplete="username" />
        <Input
          label={say.newPassword}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="new-password"
          hint={say.passwordHint}
        />
        <p class="quiet">{say.claimNote}</p>
      </Form>
    </>
  );
}
