/** The configuration's schema, asked for once. */
import { signal } from "@preact/signals";
import { api } from "./session.ts";

export const schema = signal<unknown>(undefined);

export async function loadSchema(): Promise<void> {
  if (schema.value === undefined) schema.value = await api.call("GET schema");
}
