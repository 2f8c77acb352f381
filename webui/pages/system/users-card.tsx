/** Accounts. */
import { useState } from "preact/hooks";
import type { UserShown, WebRole } from "@futago/firmware/runtime/control-access.ts";
import { Ask } from "../parts/ask.tsx";
import { Awaited, Card } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Form } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Input, Select } from "../parts/input.tsx";
import { Table } from "../parts/table.tsx";
import { ago, moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

const roles: readonly WebRole[] = ["viewer", "operator", "admin"];

export function UsersCard() {
  const { system: say, shell, access } = words.value;
  const asked = useAsked(() => api.call("GET users"));
  const [editing, setEditing] = useState<UserShown | "new" | undefined>(undefined);
  return (
    <Card
      title={say.users}
      icon="user"
      actions={
        <button type="button" class="button small" onClick={() => setEditing("new")}>
          <Icon name="plus" size={16} />
          {say.addUser}
        </button>
      }
    >
      <Awaited asked={asked}>
        {(users) => (
          <Table
            label={say.users}
            columns={[access.name, say.role, say.created, say.lastSignIn, ""]}
            rows={users.map((user) => ({
              key: user.name,
              cells: [
                <strong>{user.name}</strong>,
                shell.userRoles[user.role],
                moment(user.createdAt),
                user.lastSignInAt === null ? say.never : ago(user.lastSignInAt),
                <div class="actions">
                  <button type="button" class="button small quiet" onClick={() => setEditing(user)}>
                    <Icon name="pencil" size={16} />
                    {shell.edit}
                  </button>
                </div>,
              ],
            }))}
          />
        )}
      </Awaited>
      {editing !== undefined && (
        <UserDialog
          user={editing === "new" ? undefined : editing}
          onDone={() => {
            setEditing(undefined);
            void asked.again();
          }}
        />
      )}
    </Card>
  );
}

function UserDialog({ user, onDone }: { readonly user: UserShown | undefined; readonly onDone: () => void }) {
  const { system: say, shell, access } = words.value;
  const [name, setName] = useState("");
  const [role, setRole] = useState<WebRole>(user?.role ?? "viewer");
  const [password, setPassword] = useState("");
  const send = async () => {
    if (user === undefined) await api.call("POST users", { body: { name, role, password } });
    else {
      const body = { ...(role === user.role ? {} : { role }), ...(password === "" ? {} : { password }) };
      await api.call("PATCH users/:name", { path: { name: user.name }, body });
    }
    onDone();
  };
  return (
    <Dialog title={user === undefined ? say.addUser : say.editUser(user.name)} onClose={onDone}>
      <Form send={shell.done} onSend={send}>
        {user === undefined && <Input label={access.name} value={name} onValue={setName} />}
        <Select
          label={say.role}
          hint={say.roleHint}
          value={role}
          onValue={(chosen) => setRole(roles.find((one) => one === chosen) ?? "viewer")}
          options={roles.map((one) => [one, shell.userRoles[one]])}
        />
        <Input
          label={user === undefined ? access.password : say.resetPassword}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="new-password"
          hint={access.passwordHint}
        />
      </Form>
      {user !== undefined && (
        <Ask
          title={say.deleteUser(user.name)}
          text={say.deleteUserAsk}
          kind="danger"
          icon="bin"
          act={async () => {
            await api.call("DELETE users/:name", { path: { name: user.name } });
            onDone();
            return undefined;
          }}
        />
      )}
    </Dialog>
  );
}
