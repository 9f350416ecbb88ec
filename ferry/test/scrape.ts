/** Guarantee: reads the exposition format as strictly as Prometheus does, so that a test fails where a scraper would. */

export interface Scraped {
  /** Type of each family, in their order. */
  readonly families: ReadonlyMap<string, string>;
  /** The sample with exactly these labels. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

function labelsOf(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`labels: ${text}`);
    pairs.push([match[1] as string, match[2] as string]);
  }
  return pairs;
}

const keyOf = (name: string, pairs: readonly (readonly [string, string])[]) =>
  `${name} ${JSON.stringify([...pairs].sort())}`;

/** @throws Error naming the line that breaks the format */
export function scrape(text: string): Scraped {
  const families = new Map<string, string>();
  const samples = new Map<string, number>();
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  let family = "";
  let helped = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP (\S+) .+$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge)$/.exec(line);
    if (help !== null) {
      helped = help[1] as string;
    } else if (type !== null) {
      family = type[1] as string;
      if (families.has(family) || helped !== family) throw new Error(`family twice: ${line}`);
      families.set(family, type[2] as string);
    } else {
      const match = SAMPLE.exec(line);
      if (match === null || match[1] !== family) throw new Error(`sample: ${line}`);
      const key = keyOf(family, labelsOf(match[2] ?? ""));
      if (samples.has(key)) throw new Error(`sample twice: ${line}`);
      samples.set(key, Number(match[3]));
    }
  }
  return {
    families,
    value: (name, labels = {}) => samples.get(keyOf(name, Object.entries(labels))),
  };
}
