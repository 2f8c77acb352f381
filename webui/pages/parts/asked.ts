/** An answer of the API for as long as a part of the page is shown. */
import { useCallback, useEffect, useState } from "preact/hooks";

export interface Asked<Answer> {
  readonly answer: Answer | undefined;
  readonly error: unknown;
  readonly again: () => Promise<void>;
}

/** How long until it is asked again; it may hang on what was answered. */
export type Pause<Answer> = number | ((answer: Answer | undefined) => number);

/** Asks at once, again when one of `by` changes, and after each pause where one is given. */
export function useAsked<Answer>(
  ask: () => Promise<Answer>,
  by: readonly unknown[] = [],
  pause?: Pause<Answer>,
): Asked<Answer> {
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  const again = useCallback(async () => {
    try {
      setAnswer(await ask());
      setError(undefined);
    } catch (caught) {
      setError(caught);
    }
  }, by);
  useEffect(() => {
    void again();
  }, [again]);
  const millis = typeof pause === "function" ? pause(answer) : pause;
  useEffect(() => {
    if (millis === undefined) return undefined;
    const timer = setInterval(() => void again(), millis);
    return () => clearInterval(timer);
  }, [again, millis]);
  return { answer, error, again };
}
