"""Guarantee: the erasure code by its text alone (ferry/SPEC.md §3.2), sharing
nothing with the programs: products by shifting, parity by the sum, recovery by eliminating a full
k x k matrix. Python 3 without packages.

    python3 ferry/vectors/erasure.py > ferry/vectors/erasure.json
"""
import hashlib
import json


def times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 256:
            a ^= 0x11D
        b >>= 1
    return product


TABLES = [bytes(times(a, b) for b in range(256)) for a in range(256)]
INVERSE = {a: TABLES[a].index(1) for a in range(1, 256)}


def factor(j, i):
    return INVERSE[255 ^ i ^ j]


def add(x, y, by=1):
    scaled = int.from_bytes(y.translate(TABLES[by]), "big")
    return (int.from_bytes(x, "big") ^ scaled).to_bytes(len(x), "big")


def data_of(k, length):
    """Byte n of shard i, so that no two shards or places look alike."""
    return [bytes((i * 167 + n * 29 + (n >> 8) * 83 + k + 1) & 255 for n in range(length)) for i in range(k)]


def encode(data, m):
    parity = []
    for j in range(m):
        row = bytes(len(data[0]))
        for i, shard in enumerate(data):
            row = add(row, shard, factor(j, i))
        parity.append(row)
    return parity


def decode(k, present):
    """Gauss and Jordan over all k unknowns."""
    rows = []
    for index, shard in sorted(present.items())[:k]:
        unit = bytes(int(i == index) if index < k else factor(index - k, i) for i in range(k))
        rows.append([unit, shard])
    for column in range(k):
        pivot = next(r for r in range(column, k) if rows[r][0][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = INVERSE[rows[column][0][column]]
        rows[column] = [part.translate(TABLES[scale]) for part in rows[column]]
        for r in range(k):
            by = rows[r][0][column]
            if r != column and by:
                rows[r] = [add(rows[r][0], rows[column][0], by), add(rows[r][1], rows[column][1], by)]
    return [shard for _, shard in rows]


def digest(shards):
    return hashlib.sha256(b"".join(shards)).hexdigest()


def encoded(k, m, length):
    data = data_of(k, length)
    parity = encode(data, m)
    case = {"k": k, "m": m, "shardBytes": length}
    if (k + m) * length <= 256:
        case["data"] = [shard.hex() for shard in data]
        case["parity"] = [shard.hex() for shard in parity]
    case["dataSha256"] = digest(data)
    case["paritySha256"] = digest(parity)
    return case


def decoded(k, m, length, lost):
    data = data_of(k, length)
    shards = data + encode(data, m)
    present = {index: shard for index, shard in enumerate(shards) if index not in lost}
    assert decode(k, present) == data
    case = {"k": k, "m": m, "shardBytes": length, "lost": sorted(lost), "dataSha256": digest(data)}
    if (k + m) * length <= 256:
        case["present"] = {str(index): shard.hex() for index, shard in present.items()}
        case["restored"] = {str(index): data[index].hex() for index in sorted(lost) if index < k}
    return case


def edges(k, m):
    """All that can be lost: first data, last data, both ends, and with parity of either end lost too."""
    e = min(k, m)
    half = e // 2
    yield set(range(e))
    yield set(range(k - e, k))
    yield set(range(half)) | set(range(k - (e - half), k))
    yield set(range(half)) | set(range(k, k + m - half))
    yield set(range(k - half, k)) | set(range(k + half, k + m))


ENCODES = [
    (1, 1, 1), (1, 2, 5), (2, 1, 1), (3, 2, 7), (4, 3, 16), (5, 3, 17), (8, 4, 15), (7, 9, 13),
    (16, 16, 3), (17, 9, 33), (32, 8, 64), (64, 8, 511), (64, 24, 65), (128, 16, 1408),
    (128, 16, 1), (187, 24, 513), (200, 40, 3), (192, 64, 5), (224, 32, 2), (209, 33, 65),
]
DECODES = [(1, 1, 1), (1, 2, 5), (3, 2, 7), (5, 3, 17), (8, 4, 7), (20, 8, 33), (33, 12, 65), (40, 24, 5)]

if __name__ == "__main__":
    print(json.dumps({
        "polynomial": "11d",
        "data": "byte n of shard i = (167 i + 29 n + 83 floor(n / 256) + k + 1) mod 256",
        "matrix": [
            {"row": j, "columns": n, "factors": bytes(factor(j, i) for i in range(n)).hex()}
            for j, n in [(0, 224), (1, 224), (7, 224), (15, 224), (16, 224), (31, 224), (32, 192), (63, 192)]
        ],
        "encodes": [encoded(*case) for case in ENCODES],
        "decodes": [decoded(*case, lost) for case in DECODES for lost in
                    {tuple(sorted(lost)): lost for lost in edges(*case[:2])}.values()],
    }, indent=1))
