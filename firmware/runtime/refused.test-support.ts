import { type Refusal, RefusalError } from "./exit-code.ts";

/** What the action was refused with. */
export async function refusal(action: Promise<unknown>): Promise<Refusal> {
  const outcome = await action.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof RefusalError) return outcome.refusal;
  throw new Error(`not refused: ${String(outcome)}`);
}
