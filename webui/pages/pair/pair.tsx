/** Everything about the two boxes as a pair. */
import { PageHead } from "../parts/card.tsx";
import { Link } from "../parts/link.tsx";
import { useAsked } from "../parts/asked.ts";
import { status } from "../state/live.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { DrillCard } from "./drill-card.tsx";
import { PairingCard } from "./pairing-card.tsx";
import { RolesCard } from "./roles-card.tsx";
import { SpareCard } from "./spare-card.tsx";
import { WhyCard } from "./why-card.tsx";

const busyMillis = 1_000;
const quietMillis = 6_000;

export function Pair() {
  const say = words.value.pair;
  const pairing = useAsked(
    () => api.call("GET pair"),
    [],
    (shown) => (shown?.ceremony.phase === "idle" ? quietMillis : busyMillis),
  );
  const hasPeer = status.value?.peer !== null && status.value !== undefined;
  return (
    <>
      <PageHead title={words.value.shell.pages.pair}>
        {hasPeer && (
          <Link page="pair" rest={["report"]} class="button quiet">
            {say.report}
          </Link>
        )}
      </PageHead>
      {hasPeer && <RolesCard />}
      {status.value?.activation !== null && status.value !== undefined && <SpareCard />}
      {pairing.answer !== undefined && <PairingCard shown={pairing.answer} again={pairing.again} />}
      {hasPeer && <DrillCard />}
      <WhyCard />
    </>
  );
}
