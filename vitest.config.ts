import { defineConfig } from "vitest/config";

const slow = process.env.LIGHTFERRY_SLOW === "1";
const SLOW = "**/*.slow.test.ts";
/** Test files that share a process: they keep nothing in a module that a later file would miss. Loading once saves a sixth. */
const SHARED = "{audit,deploy,front-proxy,policy,proto}/test/**/*.test.ts";
/** The ferry's files take their keys down with them: a process each. */
const ALONE = "ferry/test/**/*.test.ts";

export default defineConfig({
  test: {
    globalSetup: ["proto/src/testing/global-setup.ts"],
    // Limits tell a hang from a busy machine: a shared disk may hold a sync back for seconds.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
    pool: "forks",
    exclude: ["**/node_modules/**"],
    // The slow suites start whole zones and count CPU on their own: one at a time.
    ...(slow
      ? { include: [`*/test/${SLOW}`], maxWorkers: 1 }
      : {
          maxWorkers: 2,
          projects: [
            { test: { name: "shared", include: [SHARED], exclude: [SLOW], isolate: false } },
            { test: { name: "ferry", include: [ALONE], exclude: [SLOW] } },
          ],
        }),
  },
});
