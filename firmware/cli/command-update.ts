/** Reads `futago update`. Pure. */
import type { Values } from "./command-words.ts";

export interface UpdateCommand {
  readonly kind: "update";
  readonly order: UpdateOrder;
  readonly force: boolean;
  readonly thisBox: boolean;
  /** Prints each step until it is over, or this box starts anew. */
  readonly wait: boolean;
}

export type UpdateOrder =
  | { readonly word: "status" }
  | { readonly word: "back" }
  | { readonly word: "stop" }
  /** As it was written. */
  | { readonly word: "file"; readonly file: string };

export function buildUpdate(values: Values, operand: string): UpdateCommand {
  return {
    kind: "update",
    order: orderOf(operand),
    force: values["force"] === true,
    thisBox: values["this-box"] === true,
    wait: values["no-wait"] !== true,
  };
}

/** A file of such a name is written with its directory: "./status". */
function orderOf(operand: string): UpdateOrder {
  if (operand === "status" || operand === "back" || operand === "stop") return { word: operand };
  return { word: "file", file: operand };
}
