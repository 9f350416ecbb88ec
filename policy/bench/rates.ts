/**
 * Guarantee: measures the policy service's own work on one core: small requests
 * decided in batches (salt, entry, commitment, Merkle path, one signature a
 * batch; no database, no journal), and content through the whole inspection.
 *
 * Usage: node policy/bench/rates.ts [--quick]
 */
import { ContentInspection } from "../src/content/inspection.ts";
import { decideBatch } from "../src/server/decide-batch.ts";
import { DECLARED, planOf, provider } from "../test/plan.ts";
import { requestItem, testDesk } from "../test/world.ts";

const QUICK = process.argv.includes("--quick");
const BATCHES = QUICK ? 10 : 60;
const BATCH = 500;
const MEGABYTES = QUICK ? 20 : 100;
const PIECE = 256 * 1024;

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

async function requests(): Promise<void> {
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
  for (let i = 0; i < BATCHES; i += 1) await decideBatch(desk, { items });
  const seconds = cpuSeconds() - start;
  report("decide.requests", (BATCHES * BATCH) / seconds, "items/s", BATCHES * BATCH);
  desk.close();
}

function content(figure: string, format: keyof typeof DECLARED, unit: string): void {
  const piece = Buffer.from(unit.repeat(Math.ceil(PIECE / Buffer.byteLength(unit))));
  const rounds = Math.ceil((MEGABYTES * 1e6) / piece.length);
  const inspection = new ContentInspection(provider, planOf(), DECLARED[format]);
  if (format === "json") inspection.push(Buffer.from("["));
  const start = cpuSeconds();
  for (let i = 0; i < rounds; i += 1) inspection.push(piece);
  inspection.end();
  const seconds = cpuSeconds() - start;
  report(figure, (rounds * piece.length) / 1e6 / seconds, "MB/s", rounds * piece.length);
}

await requests();
content(
  "inspect.text.prose",
  "text",
  "四川省自然资源厅关于做好不动产登记数据汇交工作的通知，请于2026年11月底前完成。\n",
);
content("inspect.csv.codes", "csv", '510104017001,"水井坊社区居委会",510104017,51,5101,510104\n');
content(
  "inspect.csv.masked",
  "csv",
  "1,白庙村委会,示例户主001,510904199405225431,13992215535,155.1,合成数据\n",
);
content(
  "inspect.json.records",
  "json",
  '{"code":"510104017001","名称":"水井坊社区居委会","电话":"13800138000","面积":296.27},',
);
