"""Guarantee: opening SM4-GCM (GB/T 32907, GB/T 36624) with a 12-byte nonce and a 16-byte tag; the tag is checked before anything is returned."""

SBOX = bytes.fromhex(
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699"
    "9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6"
    "4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35"
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e"
    "eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3"
    "1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51"
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0"
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948"
)
FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
CK = [int.from_bytes(bytes((4 * i + j) * 7 % 256 for j in range(4)), "big") for i in range(32)]
MASK = 0xFFFFFFFF


def rotl(word, count):
    return ((word << count) | (word >> (32 - count))) & MASK


def substitute(word):
    return SBOX[word >> 24] << 24 | SBOX[word >> 16 & 255] << 16 | SBOX[word >> 8 & 255] << 8 | SBOX[word & 255]


def expand_key(key):
    k = [int.from_bytes(key[4 * i : 4 * i + 4], "big") ^ FK[i] for i in range(4)]
    for i in range(32):
        b = substitute(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ CK[i])
        k.append(k[i] ^ b ^ rotl(b, 13) ^ rotl(b, 23))
    return k[4:]


def encrypt_block(round_keys, block):
    x = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 16, 4)]
    for i, round_key in enumerate(round_keys):
        b = substitute(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ round_key)
        x.append(x[i] ^ b ^ rotl(b, 2) ^ rotl(b, 10) ^ rotl(b, 18) ^ rotl(b, 24))
    return b"".join(word.to_bytes(4, "big") for word in x[:-5:-1])


class Ghash:
    """Multiplication by H in GF(2^128), bit 0 the most significant, by a table of H shifted."""

    def __init__(self, h):
        self.shifted, value = [], int.from_bytes(h, "big")
        for _ in range(128):
            self.shifted.append(value)
            value = value >> 1 ^ (0xE1 << 120 if value & 1 else 0)

    def of(self, *parts):
        total = 0
        for part in parts:
            for at in range(0, len(part), 16):
                total ^= int.from_bytes(part[at : at + 16].ljust(16, b"\0"), "big")
                product = 0
                for i, shifted in enumerate(self.shifted):
                    if total >> (127 - i) & 1:
                        product ^= shifted
                total = product
        return total.to_bytes(16, "big")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def gcm_open(key, nonce, associated, sealed):
    """sealed: ciphertext ‖ tag. None where the tag does not hold."""
    round_keys, text, tag = expand_key(key), sealed[:-16], sealed[-16:]
    lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big")
    ghash = Ghash(encrypt_block(round_keys, bytes(16)))
    block = lambda counter: encrypt_block(round_keys, nonce + counter.to_bytes(4, "big"))
    if xor(ghash.of(associated, text, lengths), block(1)) != tag:
        return None
    return b"".join(xor(text[at : at + 16], block(2 + at // 16)) for at in range(0, len(text), 16))
