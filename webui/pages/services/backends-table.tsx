/** The backends of a service: health, share, traffic, and taking them out of service gently. */
import type { BackendStatus, ServiceStatus } from "@futago/firmware/runtime/control.ts";
import { Act } from "../parts/act.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { Table } from "../parts/table.tsx";
import { bitRate, count } from "../parts/text.ts";
import { serviceRates } from "../state/live.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function BackendsTable({ service }: { readonly service: ServiceStatus }) {
  const say = words.value.services;
  const columns = [say.backend, say.address, say.state, say.weight, say.connections, say.rate];
  const rows = service.backends.map((backend) => {
    const rate = serviceRates.value.rates[`${service.name}/${backend.name}`];
    return {
      key: backend.name,
      cells: [
        <strong>{backend.name}</strong>,
        <code>
          {backend.address.includes(":") ? `[${backend.address}]` : backend.address}:{backend.port}
        </code>,
        <BackendState backend={backend} />,
        backend.weight,
        count(backend.flows) + (backend.limit === null ? "" : ` / ${count(backend.limit)}`),
        rate === undefined ? "–" : bitRate(rate.inBits + rate.outBits),
        ...(may("operate") ? [<DrainButton pool={service.pool} backend={backend} />] : []),
      ],
    };
  });
  return (
    <Table
      label={`${service.name}: ${say.backend}`}
      columns={may("operate") ? [...columns, ""] : columns}
      rows={rows}
      numbers={[3, 4, 5]}
    />
  );
}

function BackendState({ backend }: { readonly backend: BackendStatus }) {
  const { health } = words.value.services;
  const state = backend.draining ? "draining" : !backend.healthy ? "bad" : backend.backup ? "backup" : "good";
  const icons: Readonly<Record<typeof state, IconName>> = {
    draining: "drain",
    bad: "fault",
    backup: "standby",
    good: "check",
  };
  const kinds = { draining: "wait", bad: "bad", backup: "", good: "good" } as const;
  return (
    <span class="backend-state">
      <span class={`chip ${kinds[state]}`}>
        <Icon name={icons[state]} size={15} />
        {health[state]}
      </span>{" "}
      <small class="quiet">{backend.reason}</small>
    </span>
  );
}

function DrainButton({ pool, backend }: { readonly pool: string; readonly backend: BackendStatus }) {
  const say = words.value.services;
  const route = backend.draining ? "POST undrain" : "POST drain";
  return (
    <div class="actions">
      <Act
        small
        icon={backend.draining ? "up" : "drain"}
        act={async () => (await api.call(route, { body: { backend: `${pool}/${backend.name}` } })).message}
      >
        {backend.draining ? say.undrain : say.drain}
      </Act>
    </div>
  );
}
