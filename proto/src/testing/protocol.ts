/**
 * Guarantee: the few words that a test process and the run's global setup
 * exchange over a local socket are written down once, here.
 *
 * request: one line, a {@link ClusterKind}; answer: one line, the admin URL of
 * a PostgreSQL of that kind, or `error ` and a reason.
 */

/** Environment variable that carries the socket path from the global setup to test processes. */
export const SOCKET_VARIABLE = "LIGHTFERRY_TEST_SOCKET";

/** Environment variable by which a developer names a PostgreSQL of their own (admin URL). */
export const DATABASE_VARIABLE = "LIGHTFERRY_TEST_DATABASE_URL";

/** Environment variable with the name of this run: what is made once a run carries it. */
export const RUN_VARIABLE = "LIGHTFERRY_TEST_RUN";

/** `fast` has fsync off; `durable` is for tests about crashes of the database. */
export const CLUSTER_KINDS = ["fast", "durable"] as const;

export type ClusterKind = (typeof CLUSTER_KINDS)[number];

export const ERROR_PREFIX = "error ";
