/** Guarantee: what every program can say of itself, under the names that scrapers know. */
import type { Figure, Point } from "./figures.ts";

const MICROSECONDS = 1e6;
const STARTED_AT_SECONDS = (performance.timeOrigin / 1_000).toFixed(3);

const one = (value: number): readonly Point[] => [[[], value]];

export const PROCESS_FIGURES: readonly Figure<unknown>[] = [
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    labels: [],
    help: "CPU time of this process, user and system.",
    points: () => {
      const { user, system } = process.cpuUsage();
      return one((user + system) / MICROSECONDS);
    },
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    labels: [],
    help: "Memory of this process in RAM.",
    points: () => one(process.memoryUsage.rss()),
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    labels: [],
    help: "When this process began, Unix seconds by this machine's clock.",
    points: () => one(Number(STARTED_AT_SECONDS)),
  },
];
