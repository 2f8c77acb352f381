/**
 * Two boxes from the image, out of their cartons: claimed, paired and made to balance by the web UI, with the codes that
 * their serial lines show; then the active one loses its power, and what clients had goes on by the other.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { longestSilence, monotonicMicros, Prober } from "../../lab/prober.ts";
import { KeptConnections } from "../appliance/kept-connections.ts";
import { PATIENCE, ServedPair } from "../appliance/served-pair.ts";
import { VIP } from "../appliance/twins.ts";

const CONNECTIONS = 20;

let pair: ServedPair;
let pages: Awaited<ReturnType<ServedPair["makeByPages"]>>;
beforeAll(async () => {
  pair = await ServedPair.start();
});
afterAll(() => pair?.destroy());

it("become a pair that balances, by the codes of their serial lines and the pages", async () => {
  pages = await pair.makeByPages();
  expect(await pair.twins.served()).toMatch(/^s[123]$/);
});

it("go through a drill by the pages, which ends with a verdict and leaves a pair that balances", async () => {
  const { verdict, troubles } = await pair.drillByPages(pages.a);
  process.stdout.write(`the drill: ${[...troubles, verdict].join("; ")}\n`);
  // It judges milliseconds of machines that are emulated: worse than allowed is a verdict, too.
  expect(verdict).toMatch(/^(Passed|Worse than allowed)$/);
  await expect.poll(() => pair.twins.served(), PATIENCE).toMatch(/^s[123]$/);
  await pair.byRole();
});

it("keep the connections of clients when the active one loses its power", async () => {
  const { twins } = pair;
  const kept = await KeptConnections.open(twins.client, VIP, CONNECTIONS);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const { active } = await pair.byRole();
  const prober = await Prober.start(twins.client, { address: VIP, ping: true });
  const cutAt = monotonicMicros();
  await twins[active].cut();
  await expect.poll(() => twins.served(), PATIENCE).toMatch(/^s[123]$/);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const silence = longestSilence(prober, cutAt, cutAt);
  await prober.stop();
  expect(silence).toBeDefined();
  process.stdout.write(`the VIP was silent for ${((silence?.micros ?? 0) / 1_000).toFixed(0)} ms, emulated\n`);
  kept.close();
});
