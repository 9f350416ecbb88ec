import { defineConfig } from "vitest/config";

const slow = process.env.LIGHTFERRY_SLOW === "1";

export default defineConfig({
  test: {
    include: slow ? ["*/test/**/*.slow.test.ts"] : ["*/test/**/*.test.ts"],
    exclude: slow ? ["**/node_modules/**"] : ["**/node_modules/**", "**/*.slow.test.ts"],
    globalSetup: ["proto/src/testing/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    // The slow suites start whole zones and count CPU on their own: one at a time.
    maxWorkers: slow ? 1 : 2,
  },
});
