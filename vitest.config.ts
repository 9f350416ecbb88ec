import { defineConfig } from "vitest/config";

const slow = process.env.LIGHTFERRY_SLOW === "1";

export default defineConfig({
  test: {
    include: slow ? ["*/test/**/*.slow.test.ts"] : ["*/test/**/*.test.ts"],
    exclude: slow ? ["**/node_modules/**"] : ["**/node_modules/**", "**/*.slow.test.ts"],
    globalSetup: ["proto/src/testing/global-setup.ts"],
    // Limits tell a hang from a busy machine: a shared disk may hold a sync back for seconds.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
    pool: "forks",
    // The slow suites start whole zones and count CPU on their own: one at a time.
    maxWorkers: slow ? 1 : 2,
  },
});
