/** The page that a place means. */
import type { Place } from "../logic/routes.ts";
import { Addresses } from "../addresses/addresses.tsx";
import { History } from "../history/history.tsx";
import { Network } from "../network/network.tsx";
import { Empty, PageHead } from "../parts/card.tsx";
import { Link } from "../parts/link.tsx";
import { Overview } from "../overview/overview.tsx";
import { Diagnostics } from "../diagnostics/diagnostics.tsx";
import { Logs } from "../logs/logs.tsx";
import { Start } from "../start/start.tsx";
import { System } from "../system/system.tsx";
import { Pair } from "../pair/pair.tsx";
import { Report } from "../pair/report.tsx";
import { ServicePage } from "../services/service-page.tsx";
import { Services } from "../services/services.tsx";
import { words } from "../state/settings.ts";

export function PageView({ place }: { readonly place: Place }) {
  switch (place.page) {
    case "overview":
      return <Overview />;
    case "services":
      return place.rest[0] === undefined ? <Services /> : <ServicePage name={place.rest[0]} />;
    case "addresses":
      return <Addresses />;
    case "network":
      return <Network />;
    case "history":
      return <History />;
    case "pair":
      return place.rest[0] === "report" ? <Report /> : <Pair />;
    case "system":
      return <System />;
    case "logs":
      return <Logs />;
    case "diagnostics":
      return <Diagnostics />;
    case "start":
      return <Start />;
  }
}

export function NotFound() {
  const { shell } = words.value;
  return (
    <>
      <PageHead title={shell.noSuchPage} />
      <Empty text="">
        <Link page="overview" class="button main">
          {shell.toOverview}
        </Link>
      </Empty>
    </>
  );
}
