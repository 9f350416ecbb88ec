/** Guarantee: a figure of a link or of a lane has one point for each of them, under the same label in both programs. */
import type { Lag } from "../lag.ts";
import { type counter, type Figure, gauge, type Point } from "./figures.ts";

/** Undefined and null are left out. */
type Value = number | null | undefined;
type Make = typeof counter;

/** Figures with one point for each link of a picture. */
export function perLink<L extends { readonly link: number }>() {
  return (
    make: Make,
    name: string,
    help: string,
    read: (link: L) => Value,
  ): Figure<{ readonly links: readonly L[] }> =>
    make(name, ["link"], help, ({ links }: { readonly links: readonly L[] }) =>
      links.map((link): Point => [[link.link], read(link)]),
    );
}

/** Figures with one point for each lane of a picture. */
export function perLane<L extends { readonly lane: string }>() {
  return (
    make: Make,
    name: string,
    help: string,
    read: (lane: L) => Value,
  ): Figure<{ readonly lanes: readonly L[] }> =>
    make(name, ["lane"], help, ({ lanes }: { readonly lanes: readonly L[] }) =>
      lanes.map((lane): Point => [[lane.lane], read(lane)]),
    );
}

export const LOCKED = perLink<{ readonly link: number; readonly locked: boolean }>()(
  gauge,
  "locked",
  "1 when the kernel itself keeps the socket to one direction.",
  ({ locked }) => (locked ? 1 : 0),
);

/** How long bundles take, newest and worst. @param newest help of the first */
export function lagFigures(newest: string) {
  const lane = perLane<{ readonly lane: string; readonly lag: Lag }>();
  const worst = "The longest such time of the last minute.";
  return [
    lane(gauge, "lag_seconds", newest, ({ lag }) => seconds(lag.newestMs)),
    lane(gauge, "lag_worst_seconds", worst, ({ lag }) => seconds(lag.worstMs)),
  ];
}

export const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);
