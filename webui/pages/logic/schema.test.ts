import { DocumentSchema } from "@futago/firmware/config/schema.ts";
import { expect, test } from "vitest";
import { catalogues } from "../words/words.ts";
import { type Field, fieldsAt, fieldsOf, typed, unitOf } from "./schema.ts";

/** As the API sends it. */
const schema: unknown = JSON.parse(JSON.stringify(DocumentSchema));

function every(fields: readonly Field[]): readonly Field[] {
  return fields.flatMap((field) => {
    const { shape } = field;
    const inner =
      shape.kind === "fields" || shape.kind === "items"
        ? shape.fields
        : shape.kind === "variants"
          ? Object.values(shape.variants).flat()
          : [];
    return [field, ...every(inner)];
  });
}
const all = every(fieldsOf(schema)).filter(({ key }) => key !== "note");
const own = (among: object, key: string) => Object.hasOwn(among, key);

test("every part of the configuration has fields, of the kind its schema says", () => {
  const kindOf = (place: string) => all.find((field) => field.place === place)?.shape.kind;
  expect(kindOf("pools.backends.weight")).toBe("number");
  expect(kindOf("services.mode")).toBe("choice");
  expect(kindOf("interfaces.addresses")).toBe("texts");
  expect(kindOf("failoverGroups.preempt")).toBe("switch");
  expect(kindOf("pools.check")).toBe("variants");
  expect(kindOf("check.expectStatus")).toBe("text");
  expect(fieldsAt(schema, "pools.backends").map(({ key }) => key)).toContain("maxConnections");
});

test("what must be there, what may differ per box and what is usual is known", () => {
  const [name, device, addresses] = fieldsAt(schema, "interfaces");
  expect([name?.required, device?.perBox, addresses?.required, addresses?.perBox]).toEqual([true, true, false, true]);
  expect(addresses?.shape.kind).toBe("texts");
  expect(fieldsAt(schema, "services").find(({ key }) => key === "mode")?.usual).toBe("nat");
});

test("every field has a name in both languages and an explanation in Japanese", () => {
  const inner = all.filter(({ place }) => place.includes("."));
  const nameless = inner.filter(({ key, place }) =>
    Object.values(catalogues).some(({ fields }) => !own(fields.labels, key) && !own(fields.labels, place)),
  );
  const unexplained = all.filter(({ place }) => !own(catalogues.ja.fields.hints, place));
  const undescribed = all.filter(({ description }) => description === "");
  expect([nameless, unexplained, undescribed].map((some) => some.map(({ place }) => place))).toEqual([[], [], []]);
});

test("every word that can be chosen has one in both languages", () => {
  const words = all.flatMap(({ shape, place }) =>
    shape.kind === "choice" && place !== "failoverGroups.virtualRouters.checksum" ? shape.words : [],
  );
  const types = Object.keys(all.flatMap(({ shape }) => (shape.kind === "variants" ? [shape.variants] : []))[0] ?? {});
  for (const word of [...words, ...types]) {
    for (const { fields } of Object.values(catalogues)) expect(Object.keys(fields.choices)).toContain(word);
  }
});

test("what is typed becomes a value, and what is no number is left to be refused", () => {
  const number = { kind: "number", min: 0, max: 9, step: 1 } as const;
  expect(typed(number, "80")).toBe(80);
  expect(typed(number, "8o")).toBe("8o");
  expect(typed(number, "")).toBeUndefined();
  expect(typed({ kind: "text" }, "80")).toBe("80");
});

test("a key's last word tells the unit", () => {
  expect([unitOf("intervalMs"), unitOf("slowStartSeconds"), unitOf("newConnectionsPerSecond"), unitOf("port")]).toEqual(
    ["ms", "s", "/s", undefined],
  );
});
