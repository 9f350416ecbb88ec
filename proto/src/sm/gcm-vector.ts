/** Guarantee: the published SM4-GCM result, RFC 8998 appendix A.1, and a tag without plaintext, once for every self-test. */
const hex = (text: string): Uint8Array => Buffer.from(text, "hex");

export const GCM_VECTOR = {
  key: hex("0123456789abcdeffedcba9876543210"),
  nonce: hex("00001234567800000000abcd"),
  aad: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
  plaintext: hex(
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd" +
      "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
  ),
  sealed: hex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735" +
      "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d" +
      "83de3541e4c2b58177e065a9bf7b62ec",
  ),
  /** Of the same key, nonce and associated data. No standard prints one: `proto/test/sm-gmac.test.ts` writes it out. */
  gmac: hex("63aa7895a55f35dd693ea9e3f98bf3ff"),
};
