/** One service as it serves. */
import { useState } from "preact/hooks";
import type { ServiceStatus } from "@futago/firmware/runtime/control.ts";
import { ItemDialog } from "../forms/item-dialog.tsx";
import { Card } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { bitRate, count, decimal } from "../parts/text.ts";
import { choiceWord } from "../forms/field-words.ts";
import { serviceRates, status } from "../state/live.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { BackendsTable } from "./backends-table.tsx";
import { serviceFirst } from "./first.ts";

export function ServiceCard({ service, whole = false }: { readonly service: ServiceStatus; readonly whole?: boolean }) {
  const say = words.value.services;
  const [editing, setEditing] = useState(false);
  const rate = serviceRates.value.rates[service.name];
  const isElsewhere = status.value?.role === "standby" && status.value.peer?.alive === true;
  return (
    <Card
      title={service.name}
      icon="services"
      actions={
        <>
          {!whole && (
            <Link page="services" rest={[service.name]} class="button small quiet">
              {say.trace} · {say.flowsTitle}
              <Icon name="next" size={16} />
            </Link>
          )}
          {may("configure") && (
            <button type="button" class="button small" onClick={() => setEditing(true)}>
              <Icon name="pencil" size={16} />
              {words.value.shell.edit}
            </button>
          )}
        </>
      }
    >
      <p>
        <code>
          {service.address.includes(":") ? `[${service.address}]` : service.address}:{service.port}/{service.protocol}
        </code>{" "}
        · {choiceWord(service.mode)} · {service.pool}
      </p>
      <p class="quiet">
        {isElsewhere && `${say.carriedElsewhere} · `}
        {rate !== undefined &&
          !isElsewhere &&
          `${say.inOut(bitRate(rate.inBits), bitRate(rate.outBits))} · ${say.perSecond(decimal(rate.flowsPerSecond, 1))} · `}
        {say.connections} {count(service.connections.established)} · <Attach service={service} />
      </p>
      {service.oneArmClients.length > 0 && <p class="quiet">{say.oneArm(service.oneArmClients.join(", "))}</p>}
      <BackendsTable service={service} />
      {editing && (
        <ItemDialog
          title={say.editService(service.name)}
          names={["services", service.name]}
          place="services"
          first={serviceFirst}
          canRemove
          onClose={() => setEditing(false)}
        />
      )}
    </Card>
  );
}

function Attach({ service }: { readonly service: ServiceStatus }) {
  const { attach } = words.value.services;
  const reason = service.attachReason;
  return (
    <span class={service.attach === "none" ? "bad-text" : ""} title={reason ?? undefined}>
      {attach[service.attach]}
      {reason !== null && ` (${reason})`}
    </span>
  );
}
