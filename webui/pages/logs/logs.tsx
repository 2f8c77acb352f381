/** What the box told, and who did what. */
import { useState } from "preact/hooks";
import { PageHead } from "../parts/card.tsx";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { AuditCard } from "./audit-card.tsx";
import { LogCard } from "./log-card.tsx";

export function Logs() {
  const { tools: say, shell } = words.value;
  const [shown, setShown] = useState<"log" | "audit">("log");
  return (
    <>
      <PageHead title={shell.pages.logs}>
        {may("admin") && (
          <div class="choice" role="group" aria-label={shell.pages.logs}>
            {(["log", "audit"] as const).map((one) => (
              <button key={one} type="button" aria-pressed={shown === one} onClick={() => setShown(one)}>
                {say[one]}
              </button>
            ))}
          </div>
        )}
      </PageHead>
      {shown === "log" ? <LogCard /> : <AuditCard />}
    </>
  );
}
