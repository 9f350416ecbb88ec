/** Guarantee: the codes of the SM algorithms and key handling; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const SM_ERRORS = {
  "sm.unavailable": {
    http: 503,
    grpc: "UNAVAILABLE",
    actor: "system-admin",
    zh: "密码模块不可用",
    en: "the cryptographic provider is unavailable",
    doZh: "运行 lightferry doctor 查看缺失的符号或自检结果",
    doEn: "run lightferry doctor and read the missing symbol or self-test",
  },
  "sm.self-test-failed": {
    http: 503,
    grpc: "UNAVAILABLE",
    actor: "system-admin",
    zh: "密码算法自检失败",
    en: "a cryptographic self-test failed",
    doZh: "停止使用本机，核对 Node 版本",
    doEn: "stop using this machine and check the Node version",
  },
  "sm.key-invalid": {
    http: 500,
    grpc: "FAILED_PRECONDITION",
    actor: "security-admin",
    zh: "密钥无效",
    en: "a key is not valid",
    doZh: "核对密钥文件及其编号",
    doEn: "check the key file and its id",
  },
  "sm.key-locked": {
    http: 503,
    grpc: "FAILED_PRECONDITION",
    actor: "security-admin",
    zh: "密钥无法解锁",
    en: "a private key cannot be unlocked",
    doZh: "核对解锁密钥文件",
    doEn: "check the unlock key file",
  },
  "sm.operation-failed": {
    http: 500,
    grpc: "INTERNAL",
    actor: "system-admin",
    zh: "密码运算失败",
    en: "a cryptographic operation failed",
    doZh: "查看日志并运行自检",
    doEn: "read the log and run the self-tests",
  },
  "sm.decrypt-failed": {
    http: 422,
    grpc: "DATA_LOSS",
    actor: "security-admin",
    zh: "解密或完整性校验失败",
    en: "decryption or its integrity check failed",
    doZh: "数据已被改动或密钥不符，勿重试；联系发送方",
    doEn: "the data was altered or the key is wrong: do not retry, ask the sender",
  },
} as const satisfies ErrorTable;
