import { defineConfig } from "vitest/config";

// Six projects: `unit` needs no root and no kernel; `kernel` builds namespaces and needs root; `guest` is for the
// kernels that test/image boots; `appliance` boots the image that ./build.sh image made; `browser` opens the pages in a Chromium; `tidy` reads the source as text. `npm test` runs the first, `./build.sh test` all of them.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "hal/**/*.test.ts",
            "firmware/**/*.test.ts",
            "webui/**/*.test.ts",
            "images/{base,board,update}/**/*.test.ts",
            "test/{table,sim,suite,lab,bench}/**/*.test.ts",
            "test/image/*.test.ts",
          ],
          // Nothing at the top of a module may differ from file to file then: a third of the time for it.
          isolate: false,
          maxWorkers: 2,
          // What takes two seconds takes ten on a machine that others use, too.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "kernel",
          include: ["test/{netns,interop,xdp,servers}/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "appliance",
          include: ["test/image/{disk,first,update,pair}/**/*.test.ts"],
          fileParallelism: false,
          // Boots whole machines on emulated processors.
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: "guest",
          include: ["test/image/guest/**/*.test.ts", "test/xdp/**/*.test.ts"],
          fileParallelism: false,
          // Emulated processors are twenty times slower.
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: "tidy", include: ["test/tidy/**/*.test.ts"] } },
    ],
  },
});
