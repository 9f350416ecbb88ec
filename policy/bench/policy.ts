/**
 * Guarantee: measures the policy service's own work on one core: small requests
 * decided in batches (salt, entry, commitment, Merkle path, one signature a
 * batch; no database, no journal), and content through the whole inspection.
 *
 * Usage: npm run bench -- policy [--quick]
 */
import { ContentInspection } from "../src/content/inspection.ts";
import { decideBatch } from "../src/server/decide-batch.ts";
import { DECLARED, planOf, provider } from "../test/plan.ts";
import { requestItem, testDesk } from "../test/world.ts";

/** What a busy front-proxy gathers while one Decide is under way. */
const BATCH = 500;
const FULL = { batches: 60, megabytes: 100, suffix: "" } as const;
/** A shorter run measures the same thing and says so in the name of the figure. */
const QUICK = { batches: 10, megabytes: 20, suffix: ".quick" } as const;
const PIECE = 256 * 1024;

type Scale = typeof FULL | typeof QUICK;

/** CPU seconds of this process: what else runs on the machine does not count. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function report(figure: string, value: number, unit: string, n: number): void {
  process.stdout.write(`${figure.padEnd(28)} ${value.toFixed(1).padStart(10)} ${unit}\n`);
  const row = {
    bench: "policy",
    figure,
    value,
    unit,
    n,
    conditions: "per second of CPU, this process only",
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

async function requests(scale: Scale): Promise<void> {
  const desk = await testDesk();
  const record = {
    parcel: "510104001001GB00001",
    权利人: "某某",
    电话: "13800138000",
    面积: 296.27,
    备注: "宗地变更登记",
  };
  const items = Array.from({ length: BATCH }, (_, i) =>
    requestItem(JSON.stringify({ ...record, i })),
  );
  await decideBatch(desk, { items });
  const start = cpuSeconds();
  for (let i = 0; i < scale.batches; i += 1) await decideBatch(desk, { items });
  const seconds = cpuSeconds() - start;
  report(
    `decide.requests${scale.suffix}`,
    (scale.batches * BATCH) / seconds,
    "items/s",
    scale.batches * BATCH,
  );
  desk.close();
}

function content(scale: Scale, figure: string, format: keyof typeof DECLARED, unit: string): void {
  const piece = Buffer.from(unit.repeat(Math.ceil(PIECE / Buffer.byteLength(unit))));
  const rounds = Math.ceil((scale.megabytes * 1e6) / piece.length);
  const inspection = new ContentInspection(provider, planOf(), DECLARED[format]);
  if (format === "json") inspection.push(Buffer.from("["));
  const start = cpuSeconds();
  for (let i = 0; i < rounds; i += 1) inspection.push(piece);
  inspection.end();
  const seconds = cpuSeconds() - start;
  report(
    figure + scale.suffix,
    (rounds * piece.length) / 1e6 / seconds,
    "MB/s",
    rounds * piece.length,
  );
}

/** @param options `quick`: a shorter run under other figure names. */
export async function run(options: { readonly quick: boolean }): Promise<void> {
  const scale = options.quick ? QUICK : FULL;
  await requests(scale);
  content(
    scale,
    "inspect.text.prose",
    "text",
    "四川省自然资源厅关于做好不动产登记数据汇交工作的通知，请于2026年11月底前完成。\n",
  );
  content(
    scale,
    "inspect.csv.codes",
    "csv",
    '510104017001,"水井坊社区居委会",510104017,51,5101,510104\n',
  );
  content(
    scale,
    "inspect.csv.masked",
    "csv",
    "1,白庙村委会,示例户主001,510904199405225431,13992215535,155.1,合成数据\n",
  );
  content(
    scale,
    "inspect.json.records",
    "json",
    '{"code":"510104017001","名称":"水井坊社区居委会","电话":"13800138000","面积":296.27},',
  );
}
