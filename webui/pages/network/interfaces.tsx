/** The interfaces of the configuration, each with the port it is on either box, and the ports that nobody uses. */
import type { PortShown } from "@futago/firmware/runtime/control-ports.ts";
import { at, forBox, listAt, textAt, type Tree } from "../logic/document.ts";
import { newItem } from "../logic/position.ts";
import { Card, Empty } from "../parts/card.tsx";
import { EditButton, useEditing } from "../parts/editing.tsx";
import { Icon } from "../parts/icon.tsx";
import { BoxMark } from "../parts/role.tsx";
import { Table } from "../parts/table.tsx";
import { count } from "../parts/text.ts";
import { candidate } from "../state/candidate.ts";
import { boxes } from "../state/live.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";

const interfaceFirst = ["name", "device", "addresses"] as const;

export function Interfaces() {
  const say = words.value.network;
  const { edit, dialog } = useEditing();
  const interfaces = listAt(candidate.value, "interfaces");
  const used = new Set(interfaces.flatMap((one) => ["a", "b"].map((box) => textOf(forBox(one["device"], box)))));
  const own = boxes.value?.boxes.find((box) => box.own);
  const unused = (own?.ports ?? []).filter(({ device }) => !used.has(device));
  const add = (begin: unknown) =>
    edit({
      title: say.newInterface,
      names: ["interfaces", newItem],
      place: "interfaces",
      first: interfaceFirst,
      begin,
    });
  return (
    <>
      <Card
        title={say.ports}
        icon="network"
        actions={<EditButton of={say.ports} icon="plus" text={say.addInterface} onPress={() => add({})} />}
      >
        {interfaces.length === 0 && <Empty text={say.noInterfaces} />}
        {interfaces.map((one) => (
          <Interface
            key={textAt(one, "name")}
            one={one}
            onEdit={() =>
              edit({
                title: say.editInterface(textAt(one, "name")),
                names: ["interfaces", textAt(one, "name")],
                place: "interfaces",
                first: interfaceFirst,
                canRemove: interfaces.length > 1,
              })
            }
          />
        ))}
      </Card>
      {unused.length > 0 && (
        <Card title={say.unused} icon="network">
          <Table
            label={say.unused}
            columns={[say.device, say.link, say.mac, ...(may("configure") ? [""] : [])]}
            rows={unused.map((port) => ({
              key: port.device,
              cells: [
                <code>{port.device}</code>,
                <Link port={port} />,
                <code>{port.mac ?? "–"}</code>,
                ...(may("configure")
                  ? [
                      <div class="actions">
                        <button type="button" class="button small" onClick={() => add({ device: port.device })}>
                          {say.use(port.device)}
                        </button>
                      </div>,
                    ]
                  : []),
              ],
            }))}
          />
        </Card>
      )}
      {dialog}
    </>
  );
}

function Interface({ one, onEdit }: { readonly one: Tree; readonly onEdit: () => void }) {
  const say = words.value.network;
  const name = textAt(one, "name");
  const shown = boxes.value?.boxes ?? [];
  return (
    <section class="part" aria-label={say.editInterface(name)}>
      <div class="part-head">
        <h3>{name}</h3>
        <small class="quiet">{textAt(one, "note")}</small>
        <div class="actions">
          <EditButton of={name} onPress={onEdit} />
        </div>
      </div>
      <Table
        label={say.editInterface(name)}
        columns={[
          words.value.overview.box,
          say.device,
          say.link,
          words.value.overview.addresses,
          say.mtu,
          say.troubles,
        ]}
        numbers={[4, 5]}
        rows={shown.map((box) => {
          const device = textOf(forBox(one["device"], box.box));
          const port = box.ports.find((each) => each.device === device);
          const addresses = forBox(at(one, ["addresses"]), box.box);
          return {
            key: box.box,
            cells: [
              <BoxMark box={box.box} />,
              <code>{device}</code>,
              port === undefined ? "–" : <Link port={port} />,
              <code>{Array.isArray(addresses) ? addresses.join(" ") : "–"}</code>,
              port?.mtu ?? "–",
              port === undefined ? "–" : count(port.troubles),
            ],
          };
        })}
      />
    </section>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function Link({ port }: { readonly port: PortShown }) {
  const { link } = words.value.overview;
  const state = port.carrier ? "up" : port.up ? "down" : "off";
  const speed = port.speedMbps === null ? "" : ` · ${port.speedMbps} Mbit/s`;
  return (
    <span class={state === "up" ? "good-text" : state === "down" ? "bad-text" : "quiet"}>
      <Icon name={state === "up" ? "check" : "cross"} size={15} /> {link[state]}
      {speed}
    </span>
  );
}
