"""Guarantee: SM4-GMAC (NIST SP 800-38D §3 and §7.1 with SM4 of GB/T 32907, a nonce of 12 bytes, a tag of 16) in plain Python, a table
for each byte of a block; the block cipher is that of proto/test/second-reader."""
from sm4 import encrypt_block, expand_key

# x^128 + x^7 + x^2 + x + 1, the first bit of a block being x^0.
REDUCTION = 0xE1 << 120


def tables(h):
    """For each of the 16 bytes of a block, its 256 products with `h`."""
    made, power = [], int.from_bytes(h, "big")
    for _ in range(16):
        products = [0] * 256
        for bit in (128, 64, 32, 16, 8, 4, 2, 1):
            products[bit] = power
            power = power >> 1 ^ (REDUCTION if power & 1 else 0)
        for byte in range(1, 256):
            low = byte & -byte
            products[byte] = products[low] ^ products[byte ^ low]
        made.append(products)
    return made


def ghash(h, associated, text=b""):
    lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big")
    products, total = tables(h), 0
    for part in (associated, text, lengths):
        for at in range(0, len(part), 16):
            block = (total ^ int.from_bytes(part[at : at + 16].ljust(16, b"\0"), "big")).to_bytes(16, "big")
            total = 0
            for table, byte in zip(products, block):
                total ^= table[byte]
    return total.to_bytes(16, "big")


def gcm_tag(key, nonce, associated, ciphertext=b""):
    round_keys = expand_key(key)
    mask = encrypt_block(round_keys, nonce + b"\0\0\0\1")
    return bytes(a ^ b for a, b in zip(ghash(encrypt_block(round_keys, bytes(16)), associated, ciphertext), mask))


# McGrew and Viega, The Galois/Counter Mode of Operation, test case 2.
assert ghash(
    bytes.fromhex("66e94bd4ef8a2c3b884cfa59ca342b2e"), b"", bytes.fromhex("0388dace60b6a392f328c2b971b2fe78")
).hex() == "f38cbb1ad69223dcc3457ae5b6b0f885"
# RFC 8998 §A.1: SM4-GCM.
assert gcm_tag(
    bytes.fromhex("0123456789abcdeffedcba9876543210"),
    bytes.fromhex("00001234567800000000abcd"),
    bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    ),
).hex() == "83de3541e4c2b58177e065a9bf7b62ec"
