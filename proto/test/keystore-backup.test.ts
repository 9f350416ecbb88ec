/** Guarantee checked: a backup opens whole with its passphrase or with k of its shares, and names what is wrong otherwise. */
import {
  type GivenShare,
  openBackup,
  readBackupManifest,
  sealBackup,
} from "@lightferry/proto/keystore";
import { formatKeyId, loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { combineShares, splitSecret } from "../src/keystore/shares.ts";

const provider = loadProvider();
const fault = (code: string, detail?: RegExp) =>
  expect.objectContaining(
    detail === undefined ? { code } : { code, detail: expect.stringMatching(detail) },
  );
const passphrase = Buffer.from("四十二只渡船在光里走 2026");

function content() {
  const keys = [provider.generateSm2(), provider.generateSm2()];
  return {
    kind: "zone" as const,
    subject: "extranet",
    createdMs: 1_790_000_000_000,
    keys: keys.map((key, at) => ({
      ring: at === 0 ? "sign" : "encrypt",
      use: at === 0 ? ("node-sign" as const) : ("node-encrypt" as const),
      demo: at === 0,
      key,
    })),
    files: [
      { name: "index.jsonl", bytes: Buffer.from("a line\n") },
      { name: "empty", bytes: new Uint8Array(0) },
    ],
  };
}

const named = (lines: readonly string[]): GivenShare[] =>
  lines.map((text, at) => ({ name: `share-${at + 1}.txt`, text }));

async function wholeBackup(protection: Parameters<typeof sealBackup>[1]) {
  const source = content();
  const sealed = await sealBackup(source, protection);
  return { source, ...sealed };
}

describe("a key backup", () => {
  // Deriving its key takes long by design: one serves whoever reads it.
  let byPassphrase: Awaited<ReturnType<typeof wholeBackup>>;
  beforeAll(async () => {
    byPassphrase = await wholeBackup({ passphrase });
  });

  it("opens with its passphrase and gives keys and files back", async () => {
    const { source, bytes } = byPassphrase;
    expect(readBackupManifest(bytes)).toMatchObject({
      kind: "zone",
      subject: "extranet",
      lock: { name: "pbkdf2-hmac-sm3", rounds: 600_000 },
    });
    const opened = await openBackup(bytes, { passphrase });
    expect(
      opened.files.map(({ name, bytes: file }) => [name, Buffer.from(file).toString()]),
    ).toEqual([
      ["index.jsonl", "a line\n"],
      ["empty", ""],
    ]);
    opened.keys.forEach(({ ring, use, demo, key }, at) => {
      const before = source.keys[at];
      expect({ ring, use, demo }).toEqual({
        ring: before?.ring,
        use: before?.use,
        demo: before?.demo,
      });
      expect(formatKeyId(key.publicKey)).toBe(formatKeyId(before?.key.publicKey ?? key.publicKey));
      const message = Buffer.from("restored");
      const signature = provider.sm2Sign(key, message);
      expect(provider.sm2Verify((before ?? { key }).key.publicKey, message, signature)).toBe(true);
    });
    for (const { key } of source.keys) {
      const scalar = Buffer.from(provider.exportSm2(key));
      expect(Buffer.from(bytes).includes(scalar)).toBe(false);
      expect(Buffer.from(bytes).includes(scalar.toString("hex"))).toBe(false);
      expect(Buffer.from(bytes).includes(scalar.toString("base64").slice(0, 40))).toBe(false);
    }
  });

  it("refuses another passphrase, a weak one, shares for a passphrase and the other way round", async () => {
    const { bytes } = byPassphrase;
    await expect(
      openBackup(bytes, { passphrase: Buffer.from("another passphrase") }),
    ).rejects.toThrow(fault("key.backup-invalid"));
    await expect(openBackup(bytes, { shares: [] })).rejects.toThrow(fault("key.backup-invalid"));
    await expect(sealBackup(content(), { passphrase: Buffer.from("short") })).rejects.toThrow(
      fault("key.passphrase-weak"),
    );
    const shared = await wholeBackup({ k: 2, n: 3 });
    await expect(openBackup(shared.bytes, { passphrase })).rejects.toThrow(
      fault("key.backup-invalid", /2 shares/),
    );
  });

  it("opens with any two of three shares, in any order, copied with blanks and comments", async () => {
    const { source, bytes, shareLines } = await wholeBackup({ k: 2, n: 3 });
    const [a, b, c] = named(shareLines) as [GivenShare, GivenShare, GivenShare];
    for (const shares of [
      [a, b],
      [c, a],
      [b, c],
      [a, b, c],
    ]) {
      const { keys } = await openBackup(bytes, { shares });
      expect(keys.map(({ key }) => formatKeyId(key.publicKey))).toEqual(
        source.keys.map(({ key }) => formatKeyId(key.publicKey)),
      );
    }
    const copied = {
      name: "by hand",
      text: `# 份额\n\n  ${a.text.toLowerCase().replace(/(.{20})/g, "$1 ")}\r\n`,
    };
    await openBackup(bytes, { shares: [copied, c] });
  });

  it("names a share that is missing, repeated, miscopied, forged or of another set", async () => {
    const { bytes, shareLines } = await wholeBackup({ k: 2, n: 3 });
    const other = await wholeBackup({ k: 2, n: 3 });
    const [a, b] = named(shareLines) as [GivenShare, GivenShare, GivenShare];
    const foreign = { name: "foreign.txt", text: other.shareLines[1] ?? "" };
    const cases: [GivenShare[], string, RegExp][] = [
      [[a], "key.shares-too-few", /^1 of 2$/],
      [[], "key.shares-too-few", /^0 of 2$/],
      [[a, a], "key.shares-mixed", /share-1\.txt: share 1 is given twice/],
      [[a, foreign], "key.shares-mixed", /foreign\.txt: set/],
      [[a, { ...b, text: flip(b.text, 40) }], "key.share-invalid", /share-2\.txt: the checksum/],
      [[a, { ...b, text: forge(b.text) }], "key.share-invalid", /share-2\.txt: share 2 is not/],
      [[a, { ...b, text: `${b.text}\n${b.text}` }], "key.share-invalid", /exactly one/],
      [[a, { ...b, text: "hello" }], "key.share-invalid", /not a share/],
      [[a, { ...b, text: "A".repeat(5000) }], "key.share-invalid", /too long/],
    ];
    for (const [shares, code, detail] of cases) {
      await expect(openBackup(bytes, { shares })).rejects.toThrow(fault(code, detail));
    }
  });

  it("opens no more once a single byte anywhere was changed", async () => {
    const { bytes, shareLines } = await wholeBackup({ k: 2, n: 2 });
    const shares = named(shareLines);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const changed = Uint8Array.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ by;
          await expect(openBackup(changed, { shares })).rejects.toThrow(
            expect.objectContaining({ code: expect.stringMatching(/^key\./) }),
          );
        },
      ),
      { numRuns: 300, examples: [[bytes.length - 10, 0x80]] },
    );
    for (const cut of [0, 1, 100, bytes.length - 1]) {
      await expect(openBackup(bytes.subarray(0, cut), { shares })).rejects.toThrow(
        fault("key.backup-invalid"),
      );
    }
  });

  it("refuses file names that leave the folder and counts out of bounds", async () => {
    const { bytes, shareLines } = await wholeBackup({ k: 2, n: 2 });
    const text = Buffer.from(bytes).toString("latin1");
    for (const [from, to] of [
      ["index.jsonl", "../../../ab"],
      ['"k":2', '"k":1'],
      ['"createdMs":1', '"createdMs":-'],
      ['"zone"', '"town"'],
      ['"format":"lightferry-key-backup/1"', '"format":"lightferry-key-backup/2"'],
    ] as const) {
      expect(text).toContain(from);
      const changed = Buffer.from(text.replace(from, to), "latin1");
      await expect(openBackup(changed, { shares: named(shareLines) })).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^key\.(backup|share)-invalid$/) }),
      );
    }
  });
});

describe("shares of a secret", () => {
  it("give it back for every k of n, and k - 1 of them do not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 2, max: 16 })
          .chain((n) => fc.tuple(fc.integer({ min: 2, max: n }), fc.constant(n))),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.infiniteStream(fc.nat()),
        async ([k, n], secret, order) => {
          const { set, lines } = await splitSecret(secret, k, n);
          expect(lines).toHaveLength(n);
          expect(lines.join("")).toMatch(/^[0-9A-Z:]+$/);
          const shuffled = named(lines)
            .map((share) => ({ share, key: order.next().value ?? 0 }))
            .sort((x, y) => x.key - y.key)
            .map(({ share }) => share);
          expect(await combineShares(set, shuffled.slice(0, k))).toEqual(secret);
          await expect(combineShares(set, shuffled.slice(0, k - 1))).rejects.toThrow(
            fault("key.shares-too-few"),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [1, 3],
    [4, 3],
    [2, 17],
    [0, 0],
    [2.5, 3],
  ])("are refused for %d of %d", async (k, n) => {
    await expect(splitSecret(new Uint8Array(32), k, n)).rejects.toThrow(fault("key.share-invalid"));
  });
});

function flip(line: string, at: number): string {
  const other = line[at] === "0" ? "1" : "0";
  return line.slice(0, at) + other + line.slice(at + 1);
}

/** Changes the data and writes the right checksum over it. */
function forge(line: string): string {
  const body = flip(line.slice(0, line.lastIndexOf(":")), 40);
  const bytes = Buffer.concat([Buffer.from("lightferry/key-share/1\0"), Buffer.from(body)]);
  const sum = Buffer.from(provider.sm3(bytes).subarray(0, 4)).toString("hex").toUpperCase();
  return `${body}:${sum}`;
}
