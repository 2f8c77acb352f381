/** The pieces that the API's schemas are made of. */
import { Type } from "typebox";

/** What is asked: unknown keys are refused. */
export function asked<Properties extends Type.TProperties>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

export function words<const Words extends string>(list: readonly Words[], description?: string) {
  return Type.Unsafe<Words>({ type: "string", enum: list, ...(description === undefined ? {} : { description }) });
}

export function orNull<Schema extends Type.TSchema>(schema: Schema, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

export const NAME_LENGTH_MAX = 64;
export const COMMENT_LENGTH_MAX = 1_000;

export const ShortText = Type.String({ minLength: 1, maxLength: 255 });
export const Time = Type.String({ description: "RFC 3339 with milliseconds." });
export const Message = Type.Object({ message: Type.String() });
export const Comment = Type.Optional(
  Type.String({ maxLength: COMMENT_LENGTH_MAX, description: "Why, for the history." }),
);
export const ConfirmSeconds = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 86_400, description: "Roll back unless confirmed within this time." }),
);
export const Force = Type.Optional(Type.Boolean({ description: "Although something speaks against it." }));
export const Passphrase = Type.String({ minLength: 1, maxLength: 1_024 });

/** What two schemas and types that should be the same are: a type that is not `true` does not compile. */
export type Same<Left, Right> = [Plain<Left>] extends [Plain<Right>]
  ? [Plain<Right>] extends [Plain<Left>]
    ? true
    : { readonly notIn: "left" }
  : { readonly notIn: "right" };

/** `readonly` left out, all the way down. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;
