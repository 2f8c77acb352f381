/** Tokens for scripts. */
import { useState } from "preact/hooks";
import type { Scope } from "@futago/firmware/runtime/control-access.ts";
import { Act } from "../parts/act.tsx";
import { Ask } from "../parts/ask.tsx";
import { Awaited, Card, Empty } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Form } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Check, Input } from "../parts/input.tsx";
import { Table } from "../parts/table.tsx";
import { moment } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

const scopes: readonly Scope[] = ["metrics", "read", "operate", "configure", "admin"];
const dayMillis = 86_400_000;

export function TokensCard() {
  const say = words.value.system;
  const asked = useAsked(() => api.call("GET tokens"));
  const [adding, setAdding] = useState(false);
  return (
    <Card
      title={say.tokens}
      icon="lock"
      actions={
        <button type="button" class="button small" onClick={() => setAdding(true)}>
          <Icon name="plus" size={16} />
          {say.addToken}
        </button>
      }
    >
      <p class="quiet">{say.tokensLead}</p>
      <Awaited asked={asked}>
        {(tokens) =>
          tokens.length === 0 ? (
            <Empty text={say.noTokens} />
          ) : (
            <Table
              label={say.tokens}
              columns={[say.tokenName, say.scopes, say.created, say.expires, ""]}
              rows={tokens.map((token) => ({
                key: token.id,
                cells: [
                  <strong>{token.name}</strong>,
                  token.scopes.join(", "),
                  `${moment(token.createdAt)} · ${token.createdBy}`,
                  token.expiresAt === null ? say.forEver : moment(token.expiresAt),
                  <div class="actions">
                    <Ask
                      title={say.revoke}
                      text={say.revokeAsk}
                      kind="danger"
                      act={async () => {
                        await api.call("DELETE tokens/:id", { path: { id: token.id } });
                        await asked.again();
                        return undefined;
                      }}
                    />
                  </div>,
                ],
              }))}
            />
          )
        }
      </Awaited>
      {adding && (
        <TokenDialog
          onDone={() => {
            setAdding(false);
            void asked.again();
          }}
        />
      )}
    </Card>
  );
}

function TokenDialog({ onDone }: { readonly onDone: () => void }) {
  const { system: say, shell } = words.value;
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<readonly Scope[]>(["read"]);
  const [days, setDays] = useState("");
  const [token, setToken] = useState<string | undefined>(undefined);
  const send = async () => {
    const expiresAt = days === "" ? undefined : new Date(Date.now() + Number(days) * dayMillis).toISOString();
    const body = { name, scopes: chosen, ...(expiresAt === undefined ? {} : { expiresAt }) };
    setToken((await api.call("POST tokens", { body })).token);
  };
  return (
    <Dialog title={say.addToken} onClose={onDone}>
      {token === undefined ? (
        <Form send={say.addToken} onSend={send}>
          <Input label={say.tokenName} value={name} onValue={setName} />
          <fieldset>
            <legend>{say.scopes}</legend>
            {scopes.map((scope) => (
              <Check
                key={scope}
                label={scope}
                hint={say.scopeHints[scope]}
                value={chosen.includes(scope)}
                onValue={(on) => setChosen(scopes.filter((one) => (one === scope ? on : chosen.includes(one))))}
              />
            ))}
          </fieldset>
          <Input label={say.expiresDays} value={days} onValue={setDays} numeric />
        </Form>
      ) : (
        <>
          <p>{say.tokenOnce}</p>
          <p class="big-code">{token}</p>
          <Act
            icon="logs"
            act={async () => {
              await navigator.clipboard.writeText(token);
              return shell.copied;
            }}
          >
            {shell.copy}
          </Act>
        </>
      )}
    </Dialog>
  );
}
