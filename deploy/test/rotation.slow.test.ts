import { expect, it } from "vitest";
import { drill } from "../drills/rotation.drill.ts";

it("replaces every key of the road under traffic and loses nothing", {
  timeout: 600_000,
}, async () => {
  const report = await drill({ count: 60, seed: 11, callers: 3 });
  expect(report).toMatchObject({
    lost: [],
    duplicated: 0,
    verify: { extranet: 0, business: 0 },
  });
  expect(report.changed).toHaveLength(7);
});
