"""Guarantee: shards, groups, blocks and chunks of an object and the order of a pass by the text of ferry/SPEC.md §3.1, §3.3 and §4 alone."""
import erasure
from oracle.frame import DATA, MANIFEST, PARITY, PASS_END, REPEAT, write
from sm3 import sm3

MANIFEST_EVERY = 1_024


def ceiling(a, b):
    return -(-a // b)


class Cut:
    """How an object of `size` bytes is cut: a list of its groups, each (k, m, coded length, lengths of its data shards)."""

    def __init__(self, size, shard_size, big_k, big_m):
        self.size, self.shard_size = size, shard_size
        lengths = [shard_size] * (size // shard_size) + ([size % shard_size] if size % shard_size else [])
        self.groups = []
        for at in range(0, len(lengths), big_k):
            of = lengths[at : at + big_k]
            k = len(of)
            m = 0 if big_m == 0 else min(big_m, max(2, ceiling(k, 4)))
            self.groups.append((k, m, shard_size if k > 1 else of[0], of))
        # As many groups as 16 MiB of data hold, but one at least and 64 at most.
        self.block_groups = max(1, min(64, (1 << 24) // (big_k * shard_size)))

    def order(self):
        """(group, shard) as they are sent."""
        for first in range(0, len(self.groups), self.block_groups):
            block = range(first, min(first + self.block_groups, len(self.groups)))
            for shard in range(max(self.groups[group][0] + self.groups[group][1] for group in block)):
                for group in block:
                    k, m, _, _ = self.groups[group]
                    if shard < k + m:
                        yield group, shard


def content(size, head_size, chunk_bytes):
    """Byte n is 31 n + 17 floor(n / 256) + 7, but for the table of the chunks at the end of the head."""
    data = bytearray((31 * n + 17 * (n >> 8) + 7) & 255 for n in range(size))
    digests = [sm3(b"\0" + data[at : at + chunk_bytes]) for at in range(head_size, size, chunk_bytes)]
    data[head_size - 32 * len(digests) : head_size] = b"".join(digests)
    return bytes(data), digests


def coded(cut, data):
    """Payloads of each group: its data shards as they are sent, then its parity shards."""
    groups, at = [], 0
    for _, m, coded_length, lengths in cut.groups:
        shards = []
        for length in lengths:
            shards.append(data[at : at + length])
            at += length
        groups.append(shards + erasure.encode([shard.ljust(coded_length, b"\0") for shard in shards], m))
    return groups


def send_pass(cut, data, parts, head, repeat):
    """Every frame of a pass, numbered from head["seq"]."""
    payloads = coded(cut, data)
    flag = REPEAT if repeat else 0
    seq = head["seq"]
    order = list(cut.order())
    frames = []

    def put(fields, payload):
        nonlocal seq
        frames.append(write({**head, "objectSize": cut.size, **fields, "seq": seq}, payload))
        seq += 1

    def manifest(last):
        for number, part in enumerate(parts):
            end = PASS_END if last and number == len(parts) - 1 else 0
            put({"type": MANIFEST, "shard": number, "k": len(parts), "flags": flag | end}, part)

    for sent, (group, shard) in enumerate(order):
        if sent % MANIFEST_EVERY == 0:
            manifest(False)
        k, m, _, _ = cut.groups[group]
        kind = DATA if shard < k else PARITY
        put({"type": kind, "group": group, "shard": shard, "k": k, "m": m, "flags": flag}, payloads[group][shard])
    manifest(True)
    return frames
