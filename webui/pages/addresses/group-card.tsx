/** One failover group as it is to be, beside what it is. */
import type { Editing } from "../parts/editing.tsx";
import { EditButton } from "../parts/editing.tsx";
import { at, listAt, textAt, type Tree } from "../logic/document.ts";
import { newItem } from "../logic/position.ts";
import { itemKeys } from "@futago/firmware/config/path.ts";
import { Act } from "../parts/act.tsx";
import { Card } from "../parts/card.tsx";
import { RoleChip } from "../parts/role.tsx";
import { Table } from "../parts/table.tsx";
import { ago } from "../parts/text.ts";
import { status } from "../state/live.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function GroupCard({ group, edit }: { readonly group: Tree; readonly edit: (editing: Editing) => void }) {
  const say = words.value.network;
  const name = textAt(group, "name");
  const running = status.value?.groups.find((one) => one.name === name);
  const preferred = textAt(group, "preferred");
  const tracks = listAt(group, "track").length;
  const hasPeer = status.value?.peer?.alive === true;
  return (
    <Card
      title={name}
      icon="addresses"
      actions={
        <>
          {may("operate") && running !== undefined && hasPeer && (
            <Act
              small
              icon="swap"
              act={async () => (await api.call("POST switchover", { body: { group: name } })).message}
            >
              {say.switchover}
            </Act>
          )}
          <EditButton
            of={name}
            onPress={() =>
              edit({
                title: say.editGroup(name),
                names: ["failoverGroups", name],
                place: "failoverGroups",
                first: ["name", "preferred", "preempt"],
                hide: ["virtualRouters"],
                canRemove: true,
              })
            }
          />
        </>
      }
    >
      {running === undefined ? (
        <p class="wait-text">{words.value.services.notInForce}</p>
      ) : (
        <p class="facts-line">
          <RoleChip role={running.state} /> {running.reason} <span class="quiet">· {ago(running.since)}</span>
          <span class="quiet">
            {" "}
            · {say.priority} {running.priority} · {running.answering ? say.answering : say.notAnswering}
          </span>
        </p>
      )}
      {(preferred !== "" || tracks > 0) && (
        <p class="quiet">
          {[preferred === "" ? "" : say.preferred(preferred), tracks === 0 ? "" : say.tracks(tracks)]
            .filter((one) => one !== "")
            .join(" · ")}
        </p>
      )}
      <Routers group={group} name={name} edit={edit} />
    </Card>
  );
}

interface RoutersProps {
  readonly group: Tree;
  readonly name: string;
  readonly edit: (editing: Editing) => void;
}

const routerFirst = ["name", "interface", "addresses"] as const;

function Routers({ group, name, edit }: RoutersProps) {
  const say = words.value.network;
  const routers = listAt(group, "virtualRouters");
  const keys = itemKeys(routers);
  const change = (key: string, title: string) =>
    edit({
      title,
      names: ["failoverGroups", name, "virtualRouters", key],
      place: "failoverGroups.virtualRouters",
      first: routerFirst,
      canRemove: routers.length > 1,
    });
  return (
    <>
      <Table
        label={say.editGroup(name)}
        columns={[say.router, say.interface, say.vrid, say.addresses, ...(may("configure") ? [""] : [])]}
        rows={routers.map((router, index) => {
          const key = keys[index] ?? "";
          const addresses = at(router, ["addresses"]);
          return {
            key,
            cells: [
              textAt(router, "name") || key,
              textAt(router, "interface"),
              textAt(router, "vrid") || say.chosen,
              <code>{Array.isArray(addresses) ? addresses.join(" ") : "–"}</code>,
              ...(may("configure")
                ? [
                    <div class="actions">
                      <EditButton of={key} onPress={() => change(key, say.editRouter(key))} />
                    </div>,
                  ]
                : []),
            ],
          };
        })}
      />
      <div>
        <EditButton of={name} icon="plus" text={say.addRouter} onPress={() => change(newItem, say.newRouter)} />
      </div>
    </>
  );
}
