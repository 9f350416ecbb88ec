/** Guarantee: what a program shows of itself at `/metrics`, where its settings ask for it; METRICS.md explains it. */
import type { Picture } from "../picture.ts";
import { expose } from "./exposition.ts";
import { familyOf } from "./figures.ts";
import { PROCESS_FIGURES } from "./process-figures.ts";
import { RX_FIGURES } from "./rx-figures.ts";
import { startMetrics } from "./server.ts";
import type { MetricsListen } from "./settings.ts";
import { TX_FIGURES } from "./tx-figures.ts";

/** The page of one picture. */
export function metricsText(picture: Picture): string {
  const own =
    picture.role === "tx"
      ? TX_FIGURES.map((figure) => familyOf(figure, picture))
      : RX_FIGURES.map((figure) => familyOf(figure, picture));
  return expose([...own, ...PROCESS_FIGURES.map((figure) => familyOf(figure, undefined))]);
}

/**
 * Listens where the settings say, until the program ends.
 * @returns the port, for the ready line; undefined without settings
 * @throws GatewayError `config.invalid` when it cannot listen
 */
export async function showMetrics(
  shell: {
    readonly config: { readonly metrics: MetricsListen | undefined };
    onClose(close: () => unknown): void;
  },
  picture: () => Picture,
): Promise<number | undefined> {
  const { metrics } = shell.config;
  if (metrics === undefined) return undefined;
  const server = await startMetrics(metrics, () => metricsText(picture()));
  shell.onClose(() => server.close());
  return server.port;
}
