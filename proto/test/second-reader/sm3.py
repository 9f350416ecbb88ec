"""Guarantee: SM3 (GB/T 32905), HMAC-SM3 (RFC 2104), the labels and the Merkle tree of SPEC.md §1; nothing else."""

IV = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)
MASK = 0xFFFFFFFF


def rotl(word, count):
    count %= 32
    return ((word << count) | (word >> (32 - count))) & MASK


ROUND_CONSTANTS = [rotl(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64)]


def compress(state, block):
    w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)
        w.append(x ^ rotl(x, 15) ^ rotl(x, 23) ^ rotl(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        a12 = rotl(a, 12)
        ss1 = rotl((a12 + e + ROUND_CONSTANTS[j]) & MASK, 7)
        ss2 = ss1 ^ a12
        if j < 16:
            ff, gg = a ^ b ^ c, e ^ f ^ g
        else:
            ff, gg = (a & b) | (a & c) | (b & c), (e & f) | (~e & g)
        tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & MASK
        tt2 = (gg + h + ss1 + w[j]) & MASK
        a, b, c, d = tt1, a, rotl(b, 9), c
        e, f, g, h = tt2 ^ rotl(tt2, 9) ^ rotl(tt2, 17), e, rotl(f, 19), g
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h)))


def sm3(data):
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = IV
    for at in range(0, len(padded), 64):
        state = compress(state, padded[at : at + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def hmac_sm3(key, message):
    key = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in key) + message)
    return sm3(bytes(byte ^ 0x5C for byte in key) + inner)


def ds(label, data):
    """DS(label, bytes): what every signature, derivation and preamble is over."""
    return b"lightferry/" + label.encode() + b"\0" + data


def leaf_hash(data):
    return sm3(b"\0" + data)


def node_hash(left, right):
    return sm3(b"\1" + left + right)


def root_over(leaf_hashes):
    """RFC 6962 §2.1 over hashes of leaves that are given: the left half is the largest power of two below the count."""
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    half = 1
    while half * 2 < len(leaf_hashes):
        half *= 2
    return node_hash(root_over(leaf_hashes[:half]), root_over(leaf_hashes[half:]))


def root_from_path(leaf, index, size, path):
    """RFC 9162 §2.1.3.2; None where the path has another length than index and size demand."""
    fn, sn, running = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            running = node_hash(sibling, running)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            running = node_hash(running, sibling)
        fn, sn = fn >> 1, sn >> 1
    return running if sn == 0 else None
