/** Guarantee: a database with the front-proxy's schema, as `migrate` leaves it, that no other test sees. */
import { type TestDatabase, testDatabase } from "@lightferry/proto/testing";
import { migrate, openPool } from "../../src/database.ts";

export function migratedDatabase(): Promise<TestDatabase> {
  return testDatabase({
    template: {
      name: "front_proxy",
      prepare: async (url) => {
        const pool = openPool(url, () => undefined);
        try {
          await migrate(pool);
        } finally {
          await pool.end();
        }
      },
    },
  });
}
