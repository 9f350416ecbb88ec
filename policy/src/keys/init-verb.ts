/** Guarantee: `keys init` makes a root, an issuing CA or a node's key rings; it replaces nothing that is there. */
import type { CliVerb } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { initIssuer, initRoot } from "./init-authority.ts";
import { initNode } from "./init-node.ts";
import { CA_OPTIONS, example, NODE_OPTIONS, OPTIONS, valued } from "./options.ts";

export const initVerb: CliVerb = {
  name: "init",
  summary: {
    zh: "建立根、签发机构或节点的密钥",
    en: "make a root, an issuing authority or a node's keys",
  },
  usage: "--role root|issuer|node [--ca DIR] [--zone ZONE] [--out FILE]",
  args: [],
  options: {
    role: valued(
      "ROLE",
      "root 根 | issuer 某一网络的签发机构 | node 节点",
      "root | issuer of one zone | node",
    ),
    ...CA_OPTIONS,
    ...NODE_OPTIONS,
    name: valued("NAME", "根证书名称", "common name of the root"),
    days: OPTIONS.days,
    root: valued(
      "DIR",
      "根的目录；省略则只写出申请，由根另行签发",
      "folder of the root; without it a request is written for the root to answer",
    ),
    "root-passphrase-file": valued("FILE", "根的口令文件", "file with the root's passphrase"),
    "root-unlock-file": valued("FILE", "根的解锁密钥文件", "the root's unlock key file"),
    pin: valued(
      "FILE",
      "节点信任的根证书；核对摘要后写入本网络",
      "root certificate this zone is to trust; compare its digest",
    ),
    demo: OPTIONS.demo,
    yes: OPTIONS.yes,
  },
  examples: [
    example(
      "keys init --role root --ca /media/authority/ca --organisation 某市自然资源局 --out root.pem",
      "在离线机器上建立根",
      "make the root on an offline machine",
    ),
    example(
      "keys init --role issuer --zone extranet --ca ca/extranet --organisation 某市自然资源局 --out ca.csr",
      "建立外网侧签发机构并写出申请",
      "make an issuer and its request",
    ),
    example(
      "keys init --role node --zone extranet --pin root.pem --organisation 某市自然资源局 --out node.csr",
      "生成节点五种密钥并写出申请",
      "make a node's five keys and their requests",
    ),
  ],
  run: async (context, input) => {
    const role = input.text("role");
    if (role === "root") return initRoot(context, input);
    if (role === "issuer") return initIssuer(context, input);
    if (role === "node") return initNode(context, input);
    throw new GatewayError("cli.usage", { detail: "--role root | issuer | node" });
  },
};
