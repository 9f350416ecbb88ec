"""Guarantee: the gate protocol by its text alone (ferry/SPEC.md §2–§5), sharing nothing with the programs. Python 3 without packages.

    python3 ferry/vectors/gate.py > ferry/vectors/gate.json
"""
import hashlib
import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "proto/test/second-reader")]

from oracle import heartbeats, inventories, manifests  # noqa: E402
from oracle.frame import DATA, HEARTBEAT, INVENTORY, MANIFEST, PARITY, SAFE, read, write  # noqa: E402
from oracle.objects import Cut, content, send_pass  # noqa: E402
from oracle.signed import LANE, OBJECT_ID, SENDER, FERRY, REVOKED, STRANGER, manifest, pieces  # noqa: E402
from sm3 import sm3  # noqa: E402


def sha256(chunks):
    return hashlib.sha256(b"".join(chunks)).hexdigest()


def framed(name, fields, length=0):
    payload = bytes((7 * n + length) & 255 for n in range(length))
    frame = write(fields, payload)
    assert isinstance(read(frame), dict), name
    case = {"name": name, "fields": {"k": 1, **fields}, "payloadBytes": length}
    return {**case, "frame": frame.hex()} if length <= 64 else {**case, "sha256": sha256([frame])}


def frames():
    data = {"type": DATA, "epoch": 3, "seq": 77, "objectId": OBJECT_ID, "group": 2, "shard": 5, "k": 128, "m": 16,
            "channel": 1, "objectSize": 1_000_000, "link": 1, "lane": 4}
    yield framed("data", data, 40)
    yield framed("parity", {**data, "type": PARITY, "shard": 140}, 40)
    yield framed("manifest", {**data, "type": MANIFEST, "group": 0, "shard": 1, "k": 3, "m": 0, "flags": 2}, 40)
    yield framed("heartbeat", {"type": HEARTBEAT, "epoch": 3, "seq": 78, "link": 1}, 40)
    yield framed("inventory", {"type": INVENTORY, "epoch": 3, "seq": 79, "shard": 1, "k": 3, "link": 1, "lane": 4}, 40)
    for length in (1, 7, 8, 15, 16, 23, 24, 28, 31, 55, 56, 63):
        yield framed(f"{length} bytes of payload", data, length)
    yield framed("no payload", {**data, "shard": 0, "k": 1, "m": 0})
    yield framed("longest", data, 8_944 - 48)
    yield framed("MTU 1500", data, 1_456 - 48)
    zero = {"type": DATA, "epoch": 0, "seq": 0, "objectId": 0, "group": 0, "shard": 0, "k": 1, "m": 0, "channel": 0,
            "objectSize": 0, "link": 0, "lane": 0, "flags": 0}
    yield framed("all smallest", zero, 1)
    for field, most in [("epoch", SAFE), ("seq", SAFE), ("objectId", SAFE), ("group", 2**32 - 1), ("channel", 2),
                        ("objectSize", 2**48 - 1), ("link", 15), ("lane", 15), ("flags", 3)]:
        yield framed(f"greatest {field}", {**zero, field: most}, 1)
    for name, k, m, kind, shard in [
        ("k 255", 255, 0, DATA, 254), ("k 191, m 64, last data", 191, 64, DATA, 190),
        ("first parity", 191, 64, PARITY, 191), ("last parity", 191, 64, PARITY, 254), ("m 254", 1, 254, PARITY, 254),
        ("255 parts of a manifest", 255, 0, MANIFEST, 254), ("255 parts of a heartbeat", 255, 0, HEARTBEAT, 254),
        ("255 parts of an inventory", 255, 0, INVENTORY, 254),
    ]:
        yield framed(name, {**zero, "type": kind, "k": k, "m": m, "shard": shard}, 1)


def refused():
    """Each reason alone, and with all that come behind it in the order of §2: the first counts."""
    good = {"type": DATA, "epoch": 1, "seq": 2, "objectId": 3, "k": 2, "shard": 1, "objectSize": 9}
    later = [("flags", {"flags": 4}), ("channel", {"channel": 3}), ("shard", {"shard": 2}), ("number", {"epoch": SAFE + 1}),
             ("type", {"type": 7})]
    cases = [("length", "empty", b""), ("length", "47 bytes", write(good)[:47]),
             ("length", "8,945 bytes", write(good, bytes(8_945 - 48))),
             ("magic", "LG", write(good, magic=0x4C47)), ("magic", "MF", write(good, magic=0x4D46)),
             ("version", "1", write(good, version=1)), ("version", "3", write(good, version=3)),
             ("checksum", "one bit", write(good, b"abc", wrong=1)), ("checksum", "one byte longer", write(good, b"abc") + b"\0"),
             ("checksum", "one byte shorter", write(good, b"abc")[:-1])]
    cases += [("type", str(kind), write({**good, "type": kind})) for kind in (0, 7, 255)]
    cases += [("number", f"{field} {value}", write({**good, field: value}))
              for field in ("epoch", "seq", "objectId") for value in (SAFE + 1, 2**64 - 1)]
    cases += [("shard", json.dumps(change), write({**good, **change})) for change in [
        {"k": 0, "shard": 0}, {"k": 0, "m": 1, "shard": 0, "type": PARITY}, {"shard": 2}, {"shard": 2, "m": 2},
        {"shard": 1, "m": 2, "type": PARITY}, {"shard": 4, "m": 2, "type": PARITY}, {"k": 192, "m": 64},
        {"k": 255, "m": 1}, *({**change, "type": kind} for kind in (MANIFEST, HEARTBEAT, INVENTORY)
                              for change in ({"m": 1}, {"shard": 2})),
    ]]
    cases += [("channel", str(value), write({**good, "channel": value})) for value in (3, 255)]
    cases += [("flags", str(value), write({**good, "flags": value})) for value in (4, 0x80, 0xFF)]
    fields = dict(good)
    for name, change in later:
        fields = {**fields, **change}
        cases.append((name, "and all behind it", write(fields)))
    cases.append(("checksum", "and all behind it", write(fields, wrong=1)))
    cases.append(("version", "and all behind it", write(fields, wrong=1, version=1)))
    cases.append(("magic", "and all behind it", write(fields, wrong=1, version=1, magic=0)))
    cases.append(("length", "and all behind it", write(fields, wrong=1, version=1, magic=0)[:47]))
    for reason, name, datagram in cases:
        assert read(datagram) == reason, (reason, name)
        case = {"reason": reason, "name": name}
        short = len(datagram) <= 256
        # What is longer than any frame is nothing but zeros behind its header.
        yield {**case, "datagram": datagram[: 256 if short else 48].hex(), **({} if short else {"bytes": len(datagram)})}


GEOMETRIES = [
    (1, 1_408, 128, 16), (1_408, 1_408, 128, 16), (1_409, 1_408, 128, 16), (5_632, 1_408, 128, 16), (180_223, 1_408, 128, 16),
    (180_224, 1_408, 128, 16), (180_225, 1_408, 128, 16), (11_534_336, 1_408, 128, 16), (11_534_337, 1_408, 128, 16),
    (10**9, 1_408, 128, 16), (2**38, 8_896, 191, 64), (10**9, 8_896, 128, 16), (20_000, 208, 1, 0), (20_000, 208, 1, 64),
    (20_000, 208, 224, 31), (20_000, 208, 5, 1), (20_000, 208, 8, 2), (20_000, 208, 9, 64), (10**8, 8_896, 33, 9),
]


def geometry(size, shard_size, big_k, big_m):
    cut = Cut(size, shard_size, big_k, big_m) if size <= 10**8 else None
    if cut is None:
        # Too many shards to list: the last group by the text.
        count = -(-size // (shard_size * big_k))
        cut = Cut(size - (count - 1) * shard_size * big_k, shard_size, big_k, big_m)
        full = Cut(shard_size * big_k, shard_size, big_k, big_m).groups[0]
    else:
        count, full = len(cut.groups), cut.groups[0]
    shape = lambda group: {"k": group[0], "m": group[1], "codedLength": group[2], "lastShard": group[3][-1]}  # noqa: E731
    return {"size": size, "shardSize": shard_size, "groupShards": big_k, "parityShards": big_m, "groups": count,
            "blockGroups": cut.block_groups, "first": shape(full), "last": shape(cut.groups[-1])}


def passed(name, size, head_size, frame_size, big_k, big_m, repeat, listed):
    """A whole pass: with its frames, or with their digest and the first places of its shards."""
    chunk_bytes = 4_112
    data, digests = content(size, head_size, chunk_bytes)
    shard_size = frame_size - 48
    cut = Cut(size, shard_size, big_k, big_m)
    facts = {"size": size, "shard_size": shard_size, "group_shards": big_k, "parity_shards": big_m,
             "head_size": head_size, "head_digest": sm3(data[:head_size]), "chunk_bytes": chunk_bytes}
    message = manifest(facts)
    parts = pieces(message, frame_size - 48)
    head = {"epoch": 4, "objectId": OBJECT_ID, "channel": 1, "seq": 1_000}
    sent = send_pass(cut, data, parts, head, repeat)
    order = [f"{group}.{shard}" for group, shard in cut.order()]
    case = {"name": name, "size": size, "headSize": head_size, "chunkBytes": chunk_bytes, "frameSize": frame_size,
            "groupShards": big_k, "parityShards": big_m, "repeat": repeat, "epoch": 4, "channel": 1, "seq": 1_000,
            "chunkDigests": len(digests), "dataSha256": sha256([data]), "manifest": message.hex(),
            "frames": len(sent), "sha256": sha256(sent), "orderSha256": sha256([" ".join(order).encode()]),
            "orderBegins": order[: 2 * cut.block_groups]}
    return {**case, "list": [frame.hex() for frame in sent]} if listed else case


KEYS = {"ferry": FERRY, "stranger": STRANGER, "revoked": REVOKED}

if __name__ == "__main__":
    print(json.dumps({
        "payload": "byte n of the payload of a frame of N bytes of payload = (7 n + N) mod 256",
        "content": "byte n of an object = (31 n + 17 floor(n / 256) + 7) mod 256, but for the table at the end of its head",
        "sender": SENDER,
        "lane": LANE,
        "keys": {name: {"keyId": key.key_id, "publicKey": key.public.hex()} for name, key in KEYS.items()},
        "frames": list(frames()),
        "refused": list(refused()),
        "geometries": [geometry(*case) for case in GEOMETRIES],
        "passes": [
            passed("short", 972, 72, 256, 3, 2, False, True),
            passed("short, repeated", 972, 72, 256, 3, 2, True, True),
            passed("without parity", 3_000, 72, 1_456, 128, 0, False, False),
            passed("of one group", 100_000, 900, 1_456, 128, 16, False, False),
            passed("two blocks, the last group short", 55_001, 900, 256, 4, 1, False, False),
            passed("five blocks and two manifests between, repeated", 110_001, 2_000, 256, 2, 2, True, False),
        ],
        "manifests": list(manifests.cases()),
        "parts": list(manifests.part_cases()),
        "heartbeats": heartbeats.session(),
        "inventories": list(inventories.cases()),
    }, indent=1))
