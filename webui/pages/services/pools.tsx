/** The pools of the candidate: what is to be, edited in place. */
import { useState } from "preact/hooks";
import { ItemDialog } from "../forms/item-dialog.tsx";
import { choiceWord } from "../forms/field-words.ts";
import { listAt, textAt, type Tree } from "../logic/document.ts";
import { type Names, newItem } from "../logic/position.ts";
import { Card, Empty } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Table } from "../parts/table.tsx";
import { candidate } from "../state/candidate.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";

interface Editing {
  readonly title: string;
  readonly names: Names;
  readonly place: "pools" | "pools.backends";
}

export function Pools() {
  const say = words.value.services;
  const [editing, setEditing] = useState<Editing | undefined>(undefined);
  const pools = listAt(candidate.value, "pools");
  return (
    <Card
      title={say.pools}
      icon="network"
      actions={
        may("configure") && (
          <button
            type="button"
            class="button small"
            onClick={() => setEditing({ title: say.newPool, names: ["pools", newItem], place: "pools" })}
          >
            <Icon name="plus" size={16} />
            {say.addPool}
          </button>
        )
      }
    >
      {pools.length === 0 && <Empty text={say.noPools} />}
      {pools.map((pool) => (
        <Pool key={textAt(pool, "name")} pool={pool} edit={setEditing} />
      ))}
      {editing !== undefined && (
        <ItemDialog
          key={editing.names.join(".")}
          title={editing.title}
          names={editing.names}
          place={editing.place}
          first={
            editing.place === "pools"
              ? ["name", "backends", "check", "slowStartSeconds"]
              : ["name", "address", "port", "weight", "backup"]
          }
          hide={editing.place === "pools" && editing.names[1] !== newItem ? ["backends"] : []}
          begin={editing.place === "pools" ? { backends: [{}] } : {}}
          canRemove
          onClose={() => setEditing(undefined)}
        />
      )}
    </Card>
  );
}

function Pool({ pool, edit }: { readonly pool: Tree; readonly edit: (editing: Editing) => void }) {
  const say = words.value.services;
  const { shell } = words.value;
  const name = textAt(pool, "name");
  const backends = listAt(pool, "backends");
  const isUsed = listAt(candidate.value, "services").some(
    (one) => textAt(one, "pool") === name || textAt(one, "sorryPool") === name,
  );
  const check = textAt(pool, "check", "type") || "tcp";
  const change = (backend: string, title: string) =>
    edit({ title, names: ["pools", name, "backends", backend], place: "pools.backends" });
  return (
    <section class="part" aria-label={say.editPool(name)}>
      <div class="part-head">
        <h3>{name}</h3>
        <small class="quiet">
          {say.check}: {choiceWord(check)} {textAt(pool, "check", "path")}
          {!isUsed && ` · ${say.poolUnused}`}
        </small>
        {may("configure") && (
          <div class="actions">
            <button type="button" class="button small quiet" onClick={() => change(newItem, say.newBackend)}>
              <Icon name="plus" size={16} />
              {say.addBackend}
            </button>
            <button
              type="button"
              class="button small quiet"
              aria-label={`${shell.edit}: ${name}`}
              onClick={() => edit({ title: say.editPool(name), names: ["pools", name], place: "pools" })}
            >
              <Icon name="pencil" size={16} />
              {shell.edit}
            </button>
          </div>
        )}
      </div>
      <Table
        label={say.editPool(name)}
        columns={[say.backend, say.address, say.weight, ...(may("configure") ? [""] : [])]}
        numbers={[2]}
        rows={backends.map((backend) => {
          const own = textAt(backend, "name");
          return {
            key: own,
            cells: [
              backend["backup"] === true ? `${own} (${words.value.fields.labels.backup})` : own,
              <code>{`${textAt(backend, "address")}:${textAt(backend, "port")}`}</code>,
              textAt(backend, "weight") || "1",
              ...(may("configure")
                ? [
                    <div class="actions">
                      <button
                        type="button"
                        class="button small quiet"
                        aria-label={`${shell.edit}: ${own}`}
                        onClick={() => change(own, say.editBackend(own))}
                      >
                        <Icon name="pencil" size={16} />
                      </button>
                    </div>,
                  ]
                : []),
            ],
          };
        })}
      />
    </section>
  );
}
