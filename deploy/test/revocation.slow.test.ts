import { expect, it } from "vitest";
import { drill } from "../drills/revocation.drill.ts";

it("a denied or revoked key moves nothing, and nothing else is lost", {
  timeout: 600_000,
}, async () => {
  const report = await drill({ count: 5 });
  expect(report).toMatchObject({
    setAside: 5,
    leaked: 0,
    waited: 10,
    lost: [],
    duplicated: 0,
    verify: { extranet: 0, business: 0 },
  });
});
