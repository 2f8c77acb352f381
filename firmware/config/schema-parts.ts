/** The pieces that every part of the configuration's schema is made of: names, addresses, per-box values, notes. */
import { Type } from "typebox";

/**
 * Objects refuse keys they do not know. `notBuilt` names keys of the design whose feature is still missing: they are
 * refused by name.
 */
export function closed<Properties extends Type.TProperties>(
  properties: Properties,
  options: { readonly description?: string; readonly notBuilt?: readonly string[] } = {},
) {
  return Type.Object({ ...properties, note: Note }, { ...options, additionalProperties: false });
}

/** A value that is either the same on both boxes or written `{"a": …, "b": …}`. */
export function perBox<Schema extends Type.TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Object({ a: schema, b: schema }, { additionalProperties: false })], {
    perBox: true,
  });
}

/** One of a few words; `notBuilt` names words of the design whose feature is still missing. */
export function oneOf<const Words extends string>(
  words: readonly Words[],
  options: { readonly description?: string; readonly default?: Words; readonly notBuilt?: readonly string[] } = {},
) {
  return Type.Unsafe<Words>({ type: "string", enum: words, ...options });
}

export const Note = Type.Optional(
  Type.String({
    maxLength: 2_000,
    format: "text",
    description: "Words for people. Futago keeps them and does nothing with them.",
  }),
);

export const Name = Type.String({
  format: "name",
  description: "A letter, then letters, digits, `-` and `_`; at most 63.",
});

export const Ip = Type.String({ format: "ip", description: "An IPv4 or IPv6 address." });

export const IpWithPrefix = Type.String({
  format: "interfaceAddress",
  description: "An address with the length of its subnet prefix, such as `10.1.0.2/24`.",
});

export const Prefix = Type.String({
  format: "prefix",
  description: "A subnet or an address, such as `198.51.100.0/24`.",
});

export const Port = Type.Integer({ minimum: 1, maximum: 65_535, description: "A port number." });
