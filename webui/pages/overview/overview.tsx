/** The pair at a glance. */
import { Empty, PageHead } from "../parts/card.tsx";
import { Link } from "../parts/link.tsx";
import { boxes, status } from "../state/live.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { Alarms } from "./alarms.tsx";
import { ConnectionsCard, DrillCard, ServicesCard } from "./glance.tsx";
import { PictureCard } from "./picture-card.tsx";
import { SurvivalLine } from "./survival.tsx";
import { TrafficCard } from "./traffic-card.tsx";

export function Overview() {
  const { shell, overview } = words.value;
  const isBare = status.value !== undefined && status.value.revision === "";
  if (boxes.value === undefined) {
    return (
      <>
        <PageHead title={shell.pages.overview} />
        <p class="quiet loading">{shell.loading}</p>
      </>
    );
  }
  return (
    <>
      <h1 class="hidden">{shell.pages.overview}</h1>
      {isBare ? (
        <Empty text={overview.emptyText}>
          {may("configure") && (
            <Link page="start" class="button main">
              {overview.startButton}
            </Link>
          )}
        </Empty>
      ) : (
        <SurvivalLine />
      )}
      <PictureCard shown={boxes.value} />
      <Alarms />
      <div class="cards">
        <ServicesCard />
        <ConnectionsCard />
        <DrillCard />
      </div>
      <TrafficCard />
    </>
  );
}
