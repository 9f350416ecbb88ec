/** Guarantee: which code computes what in this installation, with versions, each after its own self-test. */
import { asGatewayError } from "@lightferry/proto/errors";
import { bulkInUse, lanesInUse, loadProvider } from "@lightferry/proto/sm";
import { type Finding, NOTHING } from "./finding.ts";

/** The release line that the lock file installs and every test ran on. */
const NODE_LINE = "26.";

function node(): Finding {
  const ok = process.versions.node.startsWith(NODE_LINE);
  return {
    check: "node",
    state: ok ? "ok" : "fail",
    name: { zh: "Node 版本", en: "Node version" },
    found: `${process.versions.node}, V8 ${process.versions.v8}`,
    means: ok
      ? { zh: "与锁定的版本一致", en: "the release line that is pinned" }
      : { zh: "不是经过测试的版本", en: "not the release line that was tested" },
    advice: ok
      ? NOTHING
      : {
          zh: "用 npm start 启动以使用固定版本",
          en: "start through npm, which uses the pinned one",
        },
  };
}

function provider(): Finding {
  const name = { zh: "国密算法", en: "SM cryptography" };
  try {
    const found = `${loadProvider().name} ${process.versions.openssl}`;
    const means = {
      zh: "自检通过：SM2、SM3、SM4-GCM、HMAC-SM3",
      en: "self-test passed: SM2, SM3, SM4-GCM, HMAC-SM3",
    };
    return { check: "sm-provider", state: "ok", name, found, means, advice: NOTHING };
  } catch (error) {
    const { row, detail } = asGatewayError(error);
    const means = { zh: row.zh, en: row.en };
    const advice = { zh: row.doZh, en: row.doEn };
    return { check: "sm-provider", state: "fail", name, found: detail, means, advice };
  }
}

/** Never a reason to refuse: OpenSSL does the same, several times slower. */
function bulk(): Finding {
  const { name, reason } = bulkInUse();
  const wanted = reason === "" || process.env.LIGHTFERRY_SM4_BULK === "openssl";
  return {
    check: "sm4-bulk",
    state: wanted ? "ok" : "warn",
    name: { zh: "SM4 批量加解密", en: "SM4 in bulk" },
    found: reason === "" ? name : `${name}: ${reason}`,
    means:
      reason === ""
        ? { zh: "自检通过", en: "self-test passed" }
        : { zh: "结果相同，SM4 约慢四倍", en: "same results, SM4 about four times slower" },
    advice: wanted
      ? NOTHING
      : {
          zh: "apt-get install libgcrypt20（1.10 及以上）",
          en: "apt-get install libgcrypt20 (1.10 or later)",
        },
  };
}

function lanes(): Finding {
  const { name, reason } = lanesInUse(loadProvider());
  const wanted = reason === "" || process.env.LIGHTFERRY_SM3_LANES === "off";
  return {
    check: "sm3-lanes",
    state: wanted ? "ok" : "warn",
    name: { zh: "SM3 四路并行", en: "SM3 four at a time" },
    found: reason === "" ? name : `${name}: ${reason}`,
    means:
      reason === ""
        ? { zh: "自检通过：GB/T 32905 两例", en: "self-test passed: both examples of GB/T 32905" }
        : {
            zh: "结果相同，文件分块摘要约慢一半",
            en: "same results, digests of chunks about half as fast",
          },
    advice: wanted
      ? NOTHING
      : { zh: "执行 npm ci，核对 Node 版本", en: "run npm ci and check the Node version" },
  };
}

/** Without a provider nothing that rests on it is asked. */
export function cryptography(): Finding[] {
  const base = provider();
  return base.state === "fail" ? [node(), base] : [node(), base, bulk(), lanes()];
}
