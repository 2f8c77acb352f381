/** Services, connections and the last drill, each in a few words. */
import { Card, Empty } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { ago, bitRate, count, duration } from "../parts/text.ts";
import { serviceRates, status } from "../state/live.ts";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function ServicesCard() {
  const { overview } = words.value;
  const services = status.value?.services ?? [];
  return (
    <Card title={overview.services} icon="services">
      {services.length === 0 ? (
        <Empty text={overview.noServices}>
          {may("configure") && (
            <Link page="services" class="button">
              {overview.addService}
            </Link>
          )}
        </Empty>
      ) : (
        <ul class="plain">
          {services.map((service) => {
            const alive = service.backends.filter(({ healthy }) => healthy).length;
            const state = alive === service.backends.length ? "good" : alive === 0 ? "bad" : "wait";
            const rate = serviceRates.value.rates[service.name];
            return (
              <li key={service.name} class={state}>
                <Icon name={state === "good" ? "check" : "alert"} size={18} />
                <div>
                  <Link page="services" rest={[service.name]}>
                    {service.name}
                  </Link>
                  <small class="quiet">
                    {overview.healthy(alive, service.backends.length)}
                    {rate !== undefined && ` · ${bitRate(rate.inBits + rate.outBits)}`}
                  </small>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

export function ConnectionsCard() {
  const { overview } = words.value;
  const shown = status.value?.connections;
  if (shown === undefined) return null;
  const { established, replicated } = shown;
  const shownRole = status.value?.peer === null ? undefined : status.value?.role;
  const share = replicated === null || established === 0 ? undefined : replicated / established;
  const text =
    established === 0
      ? overview.noConnections
      : replicated === null
        ? (shownRole === "standby" ? overview.ofPeer : overview.notReplicated)(count(established))
        : overview.wouldSurvive(count(replicated), count(established));
  return (
    <Card title={overview.connections} icon="swap">
      <p class="figure">{count(established)}</p>
      {share !== undefined && (
        <meter min={0} max={1} low={0.9} high={0.99} optimum={1} value={share} aria-label={text} />
      )}
      <p class="quiet">{text}</p>
    </Card>
  );
}

export function DrillCard() {
  const { overview } = words.value;
  const shown = status.value;
  if (shown === undefined || shown.peer === null) return null;
  const drill = shown.lastDrill;
  return (
    <Card title={overview.lastDrill} icon="diagnostics">
      {drill === null ? (
        <Empty text={overview.noDrill}>
          <Link page="pair" class="button">
            {overview.toPair}
          </Link>
        </Empty>
      ) : (
        <>
          <p class={`verdict ${drill.passed ? "good" : "bad"}`}>
            <Icon name={drill.passed ? "check" : "alert"} />
            {drill.passed ? overview.drillPassed : overview.drillWorse}
          </p>
          <p>
            {overview.lost(drill.lost)}
            {drill.silenceMicros !== null && ` · ${overview.silence(duration(drill.silenceMicros))}`}
          </p>
          <small class="quiet">{ago(drill.at)}</small>
        </>
      )}
    </Card>
  );
}
