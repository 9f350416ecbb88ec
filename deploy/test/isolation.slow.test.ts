import { expect, it } from "vitest";
import { drill } from "../drills/isolation.drill.ts";

it("two users in two namespaces with only the gate between", { timeout: 600_000 }, async () => {
  const report = await drill({ count: 40, seed: 11 });
  expect(report).toMatchObject({
    states: { "extranet emitted": 41, "business delivered": 41 },
    fileIdentical: true,
    leaks: [],
  });
  // Of each zone: its files, six processes, six ports on loopback at the least. What a hardened
  // process holds in its environment is closed to its own user as well.
  expect(report.controls).toBeGreaterThanOrEqual(2 * (1 + 6 + 6));
});
