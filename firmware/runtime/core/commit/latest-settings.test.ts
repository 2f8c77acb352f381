import { expect, it } from "vitest";
import { LatestSettings } from "./latest-settings.ts";

/** A disk that writes when it is told to. */
function slowDisk() {
  const writing: { readonly written: string; readonly ends: (error?: Error) => void }[] = [];
  const refused: string[] = [];
  const settings = new LatestSettings(
    (key, value) =>
      new Promise((resolve, reject) => {
        const ends = (error?: Error) => (error === undefined ? resolve() : reject(error));
        writing.push({ written: `${key} ${value ?? "forgotten"}`, ends });
      }),
    (key, error) => void refused.push(`${key}: ${String(error)}`),
  );
  return { settings, refused, writing, written: () => writing.map(({ written }) => written) };
}

it("has one value of each on its way to the disk, and the newest behind it", async () => {
  const { settings, writing, written } = slowDisk();
  for (let i = 0; i < 1_000; i++) settings.keep("withdrawn", `${i}`);
  settings.keep("lost", "it");
  expect(written()).toEqual(["withdrawn 0", "lost it"]);
  writing[0]?.ends();
  await expect.poll(written).toEqual(["withdrawn 0", "lost it", "withdrawn 999"]);
  writing[2]?.ends();
  await Promise.resolve();
  settings.keep("withdrawn", undefined);
  await expect.poll(written).toContain("withdrawn forgotten");
});

it("goes on with the next when the disk refuses one, and says so", async () => {
  const { settings, writing, written, refused } = slowDisk();
  settings.keep("lost", "first");
  settings.keep("lost", "second");
  writing[0]?.ends(new Error("full"));
  await expect.poll(written).toEqual(["lost first", "lost second"]);
  expect(refused).toEqual(["lost: Error: full"]);
});

it("leaves nothing behind when the store is closed", () => {
  const { settings, written } = slowDisk();
  settings.keep("withdrawn", "1");
  settings.keep("withdrawn", "2");
  settings.close();
  expect(written()).toEqual(["withdrawn 1", "withdrawn 2"]);
});
