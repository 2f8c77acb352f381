/** What stands between the browser and a page: who is signed in, where the pair is followed, the frame around it. */
import { useEffect, useState } from "preact/hooks";
import { Access } from "../access/access.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { followCandidate } from "../state/candidate.ts";
import { followPair } from "../state/live.ts";
import { begin, who } from "../state/session.ts";
import { loadSchema } from "../state/schema.ts";
import { words } from "../state/settings.ts";
import { Frame } from "./frame.tsx";
import { Notices } from "./notices.tsx";

const retryMillis = 2_000;

export function App() {
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = () =>
      begin().then(
        () => setError(undefined),
        (caught: unknown) => {
          setError(caught);
          timer = setTimeout(() => void start(), retryMillis);
        },
      );
    void start();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    document.title = words.value.shell.product;
  }, []);
  if (who.value === undefined) {
    return (
      <main class="gate">
        {error === undefined ? <p class="quiet loading">{words.value.shell.loading}</p> : <Trouble error={error} />}
      </main>
    );
  }
  return (
    <>
      {who.value === null ? <Access /> : <SignedIn />}
      <Notices />
    </>
  );
}

function SignedIn() {
  useEffect(() => {
    const ends = [followPair(), followCandidate()];
    loadSchema().catch(() => undefined);
    return () => {
      for (const end of ends) end();
    };
  }, []);
  return <Frame />;
}
