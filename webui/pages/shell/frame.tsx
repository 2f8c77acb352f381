/** The frame of every page: the bar on top, the ways to other pages, the change bar. */
import { useState } from "preact/hooks";
import { place } from "../state/place.ts";
import { words } from "../state/settings.ts";
import { ChangeBar } from "../change/change-bar.tsx";
import { ConfirmBar } from "../change/confirm-bar.tsx";
import { ConnectionBar } from "./connection-bar.tsx";
import { Nav, Tabs } from "./nav.tsx";
import { NotFound, PageView } from "./page-view.tsx";
import { TopBar } from "./top-bar.tsx";

export function Frame() {
  const [menu, setMenu] = useState(false);
  const here = place.value;
  return (
    <div class="frame">
      <a class="skip" href="#content">
        {words.value.shell.skip}
      </a>
      <TopBar />
      <Nav open={menu} onClose={() => setMenu(false)} />
      <div class="column">
        <ConnectionBar />
        <ConfirmBar />
        <main id="content" tabIndex={-1}>
          {here === undefined ? <NotFound /> : <PageView place={here} />}
        </main>
      </div>
      <div class="foot">
        <ChangeBar />
        <Tabs onMenu={() => setMenu(!menu)} menu={menu} />
      </div>
    </div>
  );
}
