/** What the store asks of its worker thread: a call of {@link StoreDatabase} by name, answered once. */
import type { StoreDatabase } from "./database.ts";
import type { StoreRefusal } from "./refusal.ts";

export type CallName =
  | "head"
  | "append"
  | "keep"
  | "adopt"
  | "moveHead"
  | "forgetHead"
  | "get"
  | "kinship"
  | "lineage"
  | "confirm"
  | "history"
  | "find"
  | "setting"
  | "putSetting"
  | "close";

export type CallArguments<Name extends CallName> = Parameters<StoreDatabase[Name]>;
export type CallResult<Name extends CallName> = ReturnType<StoreDatabase[Name]>;

export interface Request {
  readonly id: number;
  readonly name: CallName;
  readonly arguments: readonly unknown[];
}

export type Reply =
  /** The first message: whether the database is open. */
  | { readonly kind: "opened"; readonly recovered: string | undefined }
  /** Why the copy beside the database is not up to date; undefined when it is. */
  | { readonly kind: "copy"; readonly trouble: StoreRefusal | undefined }
  | { readonly kind: "notOpened"; readonly refusal: StoreRefusal }
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "refused"; readonly id: number; readonly refusal: StoreRefusal };
