import { expect, it } from "vitest";
import { drill } from "../drills/crash.drill.ts";

it("kill -9 of every process in turn loses nothing and doubles nothing", {
  timeout: 600_000,
}, async () => {
  const report = await drill({ count: 60, seed: 7 });
  expect(report).toMatchObject({
    requests: 60,
    lost: [],
    duplicated: 0,
    silentDoubles: 0,
    fileIdentical: true,
    withoutTrail: [],
    verify: { extranet: 0, business: 0 },
  });
  // Of the extranet five services and the database, of the business zone six.
  expect(report.kills).toHaveLength(13);
});
