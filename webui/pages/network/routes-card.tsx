/** Static routes. */
import { itemKeys } from "@futago/firmware/config/path.ts";
import { at, isTree, listAt, textAt } from "../logic/document.ts";
import { newItem } from "../logic/position.ts";
import { Card, Empty } from "../parts/card.tsx";
import { EditButton, useEditing } from "../parts/editing.tsx";
import { Table } from "../parts/table.tsx";
import { candidate } from "../state/candidate.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";

const routeFirst = ["to", "via"] as const;

export function Routes() {
  const say = words.value.network;
  const { edit, dialog } = useEditing();
  const routes = listAt(candidate.value, "routes");
  const keys = itemKeys(routes);
  const change = (key: string, title: string, begin: unknown = {}) =>
    edit({ title, names: ["routes", key], place: "routes", first: routeFirst, canRemove: true, begin });
  const hasDefault = routes.some((route) => textAt(route, "to") === "default");
  return (
    <Card
      title={say.routes}
      icon="next"
      actions={
        <EditButton
          of={say.routes}
          icon="plus"
          text={say.addRoute}
          onPress={() => change(newItem, say.newRoute, hasDefault ? {} : { to: "default" })}
        />
      }
    >
      {routes.length === 0 ? (
        <Empty text={say.noRoutes} />
      ) : (
        <Table
          label={say.routes}
          columns={[say.to, say.via, say.interface, say.metric, ...(may("configure") ? [""] : [])]}
          numbers={[3]}
          rows={routes.map((route, index) => {
            const key = keys[index] ?? "";
            return {
              key,
              cells: [
                <code>{textAt(route, "to")}</code>,
                <code>{viaText(at(route, ["via"]))}</code>,
                textAt(route, "interface") || "–",
                textAt(route, "metric") || "–",
                ...(may("configure")
                  ? [
                      <div class="actions">
                        <EditButton of={key} onPress={() => change(key, say.editRoute(textAt(route, "to")))} />
                      </div>,
                    ]
                  : []),
              ],
            };
          })}
        />
      )}
      {dialog}
    </Card>
  );
}

function viaText(via: unknown): string {
  if (isTree(via)) return `a ${textAt(via, "a")} · b ${textAt(via, "b")}`;
  return typeof via === "string" ? via : "–";
}
