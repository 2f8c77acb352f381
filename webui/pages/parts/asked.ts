/** An answer of the API for as long as a part of the page is shown. */
import { useCallback, useEffect, useState } from "preact/hooks";

export interface Asked<Answer> {
  readonly answer: Answer | undefined;
  readonly error: unknown;
  readonly again: () => Promise<void>;
}

/** Asks at once, again when one of `by` changes, and every `everyMillis` where that is given. */
export function useAsked<Answer>(
  ask: () => Promise<Answer>,
  by: readonly unknown[] = [],
  everyMillis?: number,
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
    if (everyMillis === undefined) return undefined;
    const timer = setInterval(() => void again(), everyMillis);
    return () => clearInterval(timer);
  }, [again, everyMillis]);
  return { answer, error, again };
}
