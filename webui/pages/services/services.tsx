/** Services as they serve, what is among the changes, and the pools behind. */
import { useState } from "preact/hooks";
import { ItemDialog } from "../forms/item-dialog.tsx";
import { listAt, textAt } from "../logic/document.ts";
import { newItem } from "../logic/position.ts";
import { Card, Empty, PageHead } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { candidate } from "../state/candidate.ts";
import { status } from "../state/live.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { serviceFirst } from "./first.ts";
import { Pools } from "./pools.tsx";
import { ServiceCard } from "./service-card.tsx";

export function Services() {
  const say = words.value.services;
  const [adding, setAdding] = useState(false);
  const running = status.value?.services ?? [];
  const wanted = listAt(candidate.value, "services").map((one) => textAt(one, "name"));
  const waiting = wanted.filter((name) => !running.some((one) => one.name === name));
  return (
    <>
      <PageHead title={words.value.shell.pages.services}>
        {may("configure") && canAdd() && (
          <button type="button" class="button main" onClick={() => setAdding(true)}>
            <Icon name="plus" size={18} />
            {say.add}
          </button>
        )}
      </PageHead>
      {running.length === 0 && waiting.length === 0 && <NoService />}
      {running.map((service) => (
        <ServiceCard key={service.name} service={service} />
      ))}
      {waiting.map((name) => (
        <Waiting key={name} name={name} />
      ))}
      <Pools />
      {adding && (
        <ItemDialog
          title={say.newService}
          names={["services", newItem]}
          place="services"
          first={serviceFirst}
          begin={{ protocol: "tcp" }}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}

function canAdd(): boolean {
  const hasVip = listAt(candidate.value, "failoverGroups").length > 0;
  return hasVip && listAt(candidate.value, "pools").length > 0;
}

function NoService() {
  const say = words.value.services;
  const hasVip = listAt(candidate.value, "failoverGroups").length > 0;
  const hasPool = listAt(candidate.value, "pools").length > 0;
  return (
    <Card title={words.value.shell.pages.services} icon="services">
      <Empty text={hasVip ? (hasPool ? say.none : say.needsPool) : say.needsVip}>
        {!hasVip && may("configure") && (
          <Link page="addresses" class="button">
            {words.value.shell.pages.addresses}
          </Link>
        )}
      </Empty>
    </Card>
  );
}

function Waiting({ name }: { readonly name: string }) {
  const say = words.value.services;
  const [editing, setEditing] = useState(false);
  return (
    <Card
      title={name}
      icon="services"
      actions={
        may("configure") && (
          <button type="button" class="button small" onClick={() => setEditing(true)}>
            <Icon name="pencil" size={16} />
            {words.value.shell.edit}
          </button>
        )
      }
    >
      <p class="wait-text">
        <Icon name="clock" size={16} /> {say.notInForce}
      </p>
      {editing && (
        <ItemDialog
          title={say.editService(name)}
          names={["services", name]}
          place="services"
          first={serviceFirst}
          canRemove
          onClose={() => setEditing(false)}
        />
      )}
    </Card>
  );
}
