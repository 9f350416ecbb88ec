"""Guarantee: frames by the text of ferry/SPEC.md §2 alone: write() makes one, read() names the first check that a datagram fails."""

HEADER = 48
MAX_DATAGRAM = 8_944
DATA, PARITY, MANIFEST, HEARTBEAT, INVENTORY, TAGS = 1, 2, 3, 4, 5, 6
REPEAT, PASS_END = 1, 2
SAFE = 2**53 - 1

# (name, bytes), in the order of the header behind magic, version, type and checksum; way = link and lane.
FIELDS = [
    ("epoch", 8), ("seq", 8), ("objectId", 8), ("group", 4), ("shard", 1), ("k", 1), ("m", 1),
    ("channel", 1), ("objectSize", 6), ("way", 1), ("flags", 1),
]


PRIMES = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
P1, P2, P3, P4, P5 = PRIMES
MASK = 2**64 - 1


def rotl(value, count):
    return (value << count | value >> (64 - count)) & MASK


def mixed(lane, word):
    return rotl((lane + word * P2) & MASK, 31) * P1 & MASK


def xxh64(seed, data):
    """xxHash fast digest algorithm 0.1.1."""
    word = lambda at, size: int.from_bytes(data[at : at + size], "little")  # noqa: E731
    at, end = 0, len(data)
    total = (seed + P5) & MASK
    if end >= 32:
        lanes = [(seed + add) & MASK for add in (P1 + P2, P2, 0, -P1)]
        while at + 32 <= end:
            lanes = [mixed(lane, word(at + 8 * number, 8)) for number, lane in enumerate(lanes)]
            at += 32
        total = sum(rotl(lane, count) for lane, count in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            total = ((total ^ mixed(0, lane)) * P1 + P4) & MASK
    total = (total + end) & MASK
    for size in [8] * ((end - at) // 8) + [4] * ((end - at) % 8 // 4) + [1] * ((end - at) % 4):
        if size == 8:
            total = (rotl(total ^ mixed(0, word(at, 8)), 27) * P1 + P4) & MASK
        elif size == 4:
            total = (rotl(total ^ word(at, 4) * P1 & MASK, 23) * P2 + P3) & MASK
        else:
            total = rotl(total ^ word(at, 1) * P5 & MASK, 11) * P1 & MASK
        at += size
    total = (total ^ total >> 33) * P2 & MASK
    total = (total ^ total >> 29) * P3 & MASK
    return total ^ total >> 32


# The example of the published text: nothing, and the seed of its test.
assert xxh64(0, b"") == 0xEF46DB3751D8E999


def checksum(start, data):
    return xxh64(int.from_bytes(start, "big"), data) & 0xFFFFFFFF


def write(fields, payload=b"", magic=0x4C46, version=2, wrong=0):
    """`fields` may be out of range as long as they fit their bytes; what is not named is 0, and k is 1. `wrong`: bits of the sum."""
    fields = {"k": 1, **fields, "way": fields.get("link", 0) << 4 | fields.get("lane", 0)}
    begin = magic.to_bytes(2, "big") + bytes([version, fields["type"]])
    rest = b"".join(fields.get(name, 0).to_bytes(size, "big") for name, size in FIELDS) + payload
    return begin + (checksum(begin, rest) ^ wrong).to_bytes(4, "big") + rest


def read(datagram):
    """The fields, or the name of the check."""
    if not HEADER <= len(datagram) <= MAX_DATAGRAM:
        return "length"
    if datagram[:2] != b"LF":
        return "magic"
    if datagram[2] != 2:
        return "version"
    if checksum(datagram[:4], datagram[8:]) != int.from_bytes(datagram[4:8], "big"):
        return "checksum"
    fields = {"type": datagram[3]}
    at = 8
    for name, size in FIELDS:
        fields[name] = int.from_bytes(datagram[at : at + size], "big")
        at += size
    if not DATA <= fields["type"] <= TAGS:
        return "type"
    if max(fields["epoch"], fields["seq"], fields["objectId"]) > SAFE:
        return "number"
    k, m, shard = fields["k"], fields["m"], fields["shard"]
    first, end = (k, k + m) if fields["type"] == PARITY else (0, k)
    if k == 0 or k + m > 255 or not first <= shard < end:
        return "shard"
    if m > 0 and fields["type"] not in (DATA, PARITY):
        return "shard"
    if fields["type"] == TAGS and k != 1:
        return "shard"
    if fields["channel"] > 2:
        return "channel"
    return "flags" if fields["flags"] > 3 else fields
