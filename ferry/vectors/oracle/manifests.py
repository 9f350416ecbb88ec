"""Guarantee: manifests that count and manifests that do not, each with its reason, by the text of ferry/SPEC.md §3.3 and §7."""
import wire
from oracle.frame import MANIFEST, write
from oracle.signed import (
    BASE, FERRY, LANE, MAX_CHUNKS, MAX_HEAD, OBJECT_ID, REVOKED, SENDER, STRANGER, manifest, manifest_fault, pieces, signed,
)


def changed(reason, object_id=OBJECT_ID, **change):
    """A manifest whose signature is good: what is wrong with it is what its numbers say."""
    found = manifest_fault({**BASE, **change}, object_id)
    assert found == reason, (found, reason, change)
    about = {name: value.hex() if isinstance(value, bytes) else value for name, value in change.items()}
    return case(reason, about, manifest(change), object_id)


def case(reason, about, message, object_id=OBJECT_ID):
    return {"reason": reason, "about": about, "objectId": object_id, "signed": message.hex()}


def cases():
    yield changed(None)
    # Limits, at them and one beyond.
    yield changed(None, group_shards=1, parity_shards=0)
    yield changed(None, group_shards=224, parity_shards=31)
    yield changed(None, group_shards=191, parity_shards=64)
    yield changed("group-shards", group_shards=0)
    yield changed("group-shards", group_shards=225, parity_shards=0)
    yield changed("group-shards", group_shards=192, parity_shards=64)
    yield changed("parity-shards", group_shards=100, parity_shards=65)
    yield changed(None, shard_size=208)
    yield changed(None, shard_size=8_896)
    yield changed("shard-size", shard_size=207)
    yield changed("shard-size", shard_size=8_897)
    yield changed(None, size=32 + 1, head_size=32)
    yield changed("head-size", head_size=31)
    yield changed("head-size", head_size=6_001)
    yield changed("chunks", head_size=6_000)
    yield changed(None, chunk_bytes=262_160)
    yield changed("chunk-bytes", chunk_bytes=4_111)
    yield changed("chunk-bytes", chunk_bytes=262_161)
    # 300 bytes of head hold nine digests.
    yield changed(None, size=300 + 9 * 4_112)
    yield changed("chunks", size=300 + 9 * 4_112 + 1)
    longest = {"head_size": MAX_HEAD, "chunk_bytes": 262_160}
    yield changed(None, size=MAX_HEAD + MAX_CHUNKS * 262_160, **longest)
    yield changed("size", size=MAX_HEAD + MAX_CHUNKS * 262_160 + 1, **longest)
    yield changed("head-size", size=2 * MAX_HEAD, head_size=MAX_HEAD + 1, chunk_bytes=262_160)
    yield changed("chunks", size=MAX_HEAD + MAX_CHUNKS * 4_112 + 1, head_size=MAX_HEAD)
    yield changed("version", version=1)
    yield changed("version", version=3)
    yield changed("sender", sender="node-other")
    yield changed("lane", lane="outbound")
    yield changed("object", epoch=2)
    yield changed("object", object_id=2**32 * 3 + 8)
    yield changed("bundle-id", bundle_id=bytes(15))
    yield changed("bundle-id", bundle_id=bytes(17))
    yield changed("header-digest", header_digest=bytes(31))
    yield changed("head-digest", head_digest=bytes(33))
    # Of several faults the first of the list counts.
    yield changed("version", version=1, sender="x", lane="y", epoch=0, bundle_id=b"", size=2**52, chunk_bytes=1)
    yield changed("shard-size", shard_size=1, group_shards=0, size=2**52, head_size=0)
    # Signed by another, for another purpose, or not at all.
    good = manifest()
    yield case("unknown-key", "key of a stranger", manifest(key=STRANGER))
    yield case("signature", "a stranger under our key id", manifest(key=STRANGER, claimed=FERRY))
    yield case("refused-key", "a revoked key", manifest(key=REVOKED))
    yield case("signature", "signed as a heartbeat", signed("ferry-heartbeat/1", "ObjectManifest", BASE))
    yield case("signature", "last bit of the signature", good[:-1] + bytes([good[-1] ^ 1]))
    yield case("malformed", "with a certificate", manifest(certificates=[b"\x30\x00"]))
    yield case("malformed", "a byte more", good + b"\0")
    yield case("malformed", "a byte less", good[:-1])
    yield case("malformed", "no message", b"\xff" * 40)
    payload = wire.encode("ObjectManifest", BASE)
    for name, bad in [
        ("unknown field", payload + b"\xf8\x01\x01"),
        ("a default written out", payload.replace(b"\x08\x02", b"\x08\x02\x08\x02", 1)),
        ("a longer varint", b"\x08\x82\x00" + payload[2:]),
    ]:
        message = {"payload": bad, "key_id": FERRY.key_id, "certificates": []}
        message["signature"] = FERRY.sign(b"lightferry/ferry-manifest/1\0" + bad)
        yield case("malformed", name, wire.encode("SignedMessage", message))


def part_cases():
    """Frames in their order, and what each is counted as; `manifest` is where it is believed."""
    head = {"type": MANIFEST, "epoch": 3, "objectId": OBJECT_ID, "objectSize": BASE["size"]}
    one = manifest({"shard_size": 208})
    parts = pieces(one, 208)
    count = len(parts)
    assert count == 2

    def frames(of, number, k=count, seq=0):
        return write({**head, "shard": number, "k": k, "seq": seq}, of).hex()

    other = pieces(manifest({"shard_size": 208, "chunk_bytes": 5_000}), 208)
    yield {"name": "in order", "frames": [frames(parts[0], 0), frames(parts[1], 1)], "counts": {}, "manifests": 1}
    yield {"name": "turned round, and twice", "frames": [frames(parts[1], 1), frames(parts[1], 1), frames(parts[0], 0)],
           "counts": {}, "manifests": 1}
    yield {"name": "parts of two sets are not joined", "frames": [frames(parts[0], 0), frames(other[1], 1)],
           "counts": {}, "manifests": 0}
    yield {"name": "another number of parts", "frames": [frames(parts[0], 0), frames(parts[1], 1, 3), frames(parts[1], 1)],
           "counts": {"manifest-mismatch": 1}, "manifests": 1}
    yield {"name": "no longer than a set id", "frames": [frames(b"", 0, 1), frames(parts[0][:8], 0), frames(parts[0][:8], 0, 1)],
           "counts": {"manifest-short": 3}, "manifests": 0}
    yield {"name": "a set id that is not that of the message",
           "frames": [frames(bytes(8) + parts[0][8:], 0), frames(bytes(8) + parts[1][8:], 1)], "counts": {}, "manifests": 1}
