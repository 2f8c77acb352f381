/** Failover groups: who holds them, and the virtual routers that they consist of. */
import { useEditing } from "../parts/editing.tsx";
import { listAt, textAt } from "../logic/document.ts";
import { newItem } from "../logic/position.ts";
import { Card, Empty, PageHead } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { candidate } from "../state/candidate.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { GroupCard } from "./group-card.tsx";

export function Addresses() {
  const say = words.value.network;
  const { edit, dialog } = useEditing();
  const groups = listAt(candidate.value, "failoverGroups");
  const hasInterfaces = listAt(candidate.value, "interfaces").length > 0;
  return (
    <>
      <PageHead title={words.value.shell.pages.addresses}>
        {may("configure") && hasInterfaces && (
          <button
            type="button"
            class="button main"
            onClick={() =>
              edit({
                title: say.newGroup,
                names: ["failoverGroups", newItem],
                place: "failoverGroups",
                first: ["name", "virtualRouters", "preferred"],
                begin: { virtualRouters: [{}] },
              })
            }
          >
            <Icon name="plus" size={18} />
            {say.addGroup}
          </button>
        )}
      </PageHead>
      <p class="quiet">{say.addressesLead}</p>
      {groups.length === 0 && (
        <Card title={words.value.shell.pages.addresses} icon="addresses">
          <Empty text={hasInterfaces ? say.noGroups : say.needsInterfaces}>
            {!hasInterfaces && (
              <Link page="network" class="button">
                {words.value.shell.pages.network}
              </Link>
            )}
          </Empty>
        </Card>
      )}
      {groups.map((group) => (
        <GroupCard key={textAt(group, "name")} group={group} edit={edit} />
      ))}
      {dialog}
    </>
  );
}
