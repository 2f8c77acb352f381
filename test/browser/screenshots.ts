/**
 * `./build.sh screenshots DIR`: every page in light and dark, on a phone and on a wide screen, in English and Japanese, as
 * DIR/PAGE-THEME-SIZE-LANGUAGE.png. The pair is the lab's, and has been through a drill.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Look, PAGES, show, unroll, visitor } from "./pages.ts";
import { Rig } from "./rig.ts";
import { Visit } from "./visit.ts";

const LOOKS: readonly Look[] = (["light", "dark"] as const).flatMap((theme) =>
  (["phone", "wide"] as const).flatMap((size) =>
    (["en", "ja"] as const).map((language) => ({ theme, size, language })),
  ),
);

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("usage: ./build.sh screenshots DIR\n");
  process.exit(2);
}
mkdirSync(directory, { recursive: true });
const rig = await Rig.start();
try {
  await takeAll(directory);
} finally {
  await rig.destroy();
}
process.exit();

async function takeAll(into: string): Promise<void> {
  const first = await Visit.begin(await rig.browser.visitor());
  await first.open(rig.url("a"));
  await first.page.getByRole("heading", { name: "This box is new" }).waitFor();
  await first.page.screenshot({ path: join(into, "claim-light-wide-en.png"), fullPage: true });
  await first.claim(rig.url("a"), await rig.claimCode("a"));
  await first.end();
  await rig.boxes.a.drill(false);
  for (const look of LOOKS) {
    const visit = await visitor(rig, look);
    for (const page of PAGES) {
      await show(visit, rig, page);
      const name = `${page}-${look.theme}-${look.size}-${look.language}.png`;
      const rollBack = await unroll(visit);
      await visit.page.screenshot({ path: join(into, name) });
      await rollBack();
    }
    await visit.end();
    process.stdout.write(`${look.theme} ${look.size} ${look.language}: ${PAGES.length} pages\n`);
  }
}
