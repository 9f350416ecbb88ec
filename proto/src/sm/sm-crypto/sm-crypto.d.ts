/** The part of sm-crypto 0.5 that the reference provider uses; the package ships no types. */
declare module "sm-crypto" {
  const sm2: {
    generateKeyPairHex(): { privateKey: string; publicKey: string };
    getPublicKeyFromPrivateKey(privateKey: string): string;
    /** Ciphertext as hex; mode 1 is C1 || C3 || C2 without the leading 04. */
    doEncrypt(message: ArrayLike<number>, publicKey: string, cipherMode: 1): string;
    /** An empty array when the check value is wrong. */
    doDecrypt(
      ciphertext: string,
      privateKey: string,
      cipherMode: 1,
      options: { output: "array" },
    ): number[];
    doSignature(
      message: ArrayLike<number>,
      privateKey: string,
      options: { hash: true; userId: string; publicKey: string },
    ): string;
    doVerifySignature(
      message: ArrayLike<number>,
      signature: string,
      publicKey: string,
      options: { hash: true; userId: string },
    ): boolean;
  };
  function sm3(
    input: ArrayLike<number>,
    options?: { key: ArrayLike<number>; mode: "hmac" },
  ): string;
  const sm4: {
    encrypt(
      input: ArrayLike<number>,
      key: ArrayLike<number>,
      options: { padding: "none"; output: "array" },
    ): number[];
  };
  /** CommonJS: Node sees only the default export. */
  const api: { readonly sm2: typeof sm2; readonly sm3: typeof sm3; readonly sm4: typeof sm4 };
  export default api;
}
