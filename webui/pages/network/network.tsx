/** Ports with their addresses, routes, and what the boxes' own names and clocks are. */
import { PageHead } from "../parts/card.tsx";
import { words } from "../state/settings.ts";
import { Interfaces } from "./interfaces.tsx";
import { Routes } from "./routes-card.tsx";

export function Network() {
  return (
    <>
      <PageHead title={words.value.shell.pages.network} />
      <Interfaces />
      <Routes />
    </>
  );
}
