"""Guarantee: signed manifests and heartbeats by the text of ferry/SPEC.md §3.3 and §5 alone; signatures are made with keys and nonces
that follow from their text, so that the vectors are the same each time. Canonical protobuf, SM3 and the curve are those of the
reader in proto/test/second-reader, which shares nothing with the programs either."""
import schema
import sm2
import wire
from sm3 import ds, sm3

SENDER, LANE = "node-extranet", "inbound"
MAX_SAFE = 2**53 - 1
MAX_CHUNKS = 2**20
MAX_HEAD = 2**20 + 2**16 + 32 * MAX_CHUNKS

schema.MESSAGES.update({
    "ObjectManifest": schema.message(
        "1 version uint32", "2 sender string", "3 lane string", "4 epoch uint64", "5 object_id uint64", "6 bundle_id bytes",
        "7 header_digest bytes", "8 size uint64", "9 shard_size uint32", "10 group_shards uint32", "13 parity_shards uint32",
        "14 head_size uint32", "15 head_digest bytes", "16 chunk_bytes uint32",
    ),
    # A bool is written as the number 1, or not at all.
    "Inventory": schema.message(
        "1 version uint32", "2 sender string", "3 lane string", "4 epoch uint64", "5 number uint64", "6 page uint32", "7 last uint32",
        "8 full uint32", "9 time_ms uint64", "10 since_ms uint64", "11 held StreamRanges*", "12 given_up StreamRanges*",
        "13 pass_delay_ms uint64",
    ),
    "StreamRanges": schema.message("1 stream string", "2 ranges SequenceRange*"),
    "SequenceRange": schema.message("1 first uint64", "2 last uint64"),
    "SignedMessage": schema.message("1 payload bytes", "2 key_id string", "3 signature bytes", "4 certificates bytes*"),
    "StreamPosition": schema.message("1 stream string", "2 sequence uint64", "3 under_way uint64"),
    "Heartbeat": schema.message(
        "1 version uint32", "2 sender string", "3 epoch uint64", "4 next_frame uint64", "5 time_ms uint64",
        "6 streams StreamPosition*", "8 number uint64", "9 settings LinkSettings", "10 link uint32",
        "11 link_key WrappedLinkKey",
    ),
    "WrappedLinkKey": schema.message("1 key_id string", "2 wrapped bytes"),
    "LaneNumber": schema.message("1 number uint32", "2 lane string"),
    "LinkSettings": schema.message("1 lanes LaneNumber*", "2 frame_size uint32", "3 group_shards uint32", "4 parity_shards uint32"),
})


class Key:
    def __init__(self, name):
        self.secret = sm2.number(sm3(name.encode())) % (sm2.N - 2) + 1
        x, y = sm2.affine(sm2.multiply(self.secret, sm2.GX, sm2.GY))
        self.public = b"\x04" + sm2.octets(x) + sm2.octets(y)
        self.key_id = sm3(self.public)[:16].hex()
        identity = (8 * len(sm2.USER_ID)).to_bytes(2, "big") + sm2.USER_ID
        self.z = sm3(identity + b"".join(map(sm2.octets, (sm2.A, sm2.B, sm2.GX, sm2.GY, x, y))))

    def sign(self, message):
        digest = sm2.number(sm3(self.z + message))
        nonce = sm2.number(sm3(sm2.octets(self.secret) + message)) % (sm2.N - 1) + 1
        r = (digest + sm2.affine(sm2.multiply(nonce, sm2.GX, sm2.GY))[0]) % sm2.N
        s = pow(1 + self.secret, -1, sm2.N) * (nonce - r * self.secret) % sm2.N
        return sm2.octets(r) + sm2.octets(s)


FERRY, STRANGER, REVOKED = Key("ferry"), Key("stranger"), Key("revoked")


def signed(label, name, message, key=FERRY, claimed=None, certificates=()):
    payload = wire.encode(name, message)
    return wire.encode("SignedMessage", {
        "payload": payload, "key_id": (claimed or key).key_id,
        "signature": key.sign(ds(label, payload)), "certificates": list(certificates),
    })


def manifest(change=None, **how):
    return signed("ferry-manifest/1", "ObjectManifest", {**BASE, **(change or {})}, **how)


def heartbeat(change=None, label="ferry-heartbeat/1", **how):
    return signed(label, "Heartbeat", {**BEAT, **(change or {})}, **how)


def inventory(change=None, label="ferry-inventory/1", **how):
    return signed(label, "Inventory", {**PAGE, **(change or {})}, **how)


def pieces(message, room):
    """Payloads of the frames: the set, then a piece; `room` is that of a payload."""
    set_id = sm3(message)[:8]
    step = room - len(set_id)
    return [set_id + message[at : at + step] for at in range(0, len(message), step)]


OBJECT_ID = 3 * 2**32 + 9
BASE = {
    "version": 2, "sender": SENDER, "lane": LANE, "epoch": 3, "object_id": OBJECT_ID,
    "bundle_id": sm3(b"bundle")[:16], "header_digest": sm3(b"header"), "size": 6_000, "shard_size": 1_408,
    "group_shards": 128, "parity_shards": 16, "head_size": 300, "head_digest": sm3(b"head"), "chunk_bytes": 4_112,
}

BEAT = {
    "version": 1, "sender": SENDER, "epoch": 7, "next_frame": 10, "time_ms": 1_790_000_000_000, "streams": [],
    "number": 1, "link": 0, "link_key": None,
    "settings": {"lanes": [{"number": 0, "lane": LANE}], "frame_size": 1_456, "group_shards": 128, "parity_shards": 16},
}


PAGE = {
    "version": 1, "sender": SENDER, "lane": LANE, "epoch": 7, "number": 1, "page": 0, "last": 1, "full": 1,
    "time_ms": 1_790_000_000_000, "since_ms": 0, "held": [], "given_up": [], "pass_delay_ms": 30_000,
}


def manifest_fault(message, object_id):
    """§3.3: which of the numbers of a manifest under a good signature is not as it must be, by the list of §7; None when all are."""
    m = message
    chunks = -(-(m["size"] - m["head_size"]) // m["chunk_bytes"]) if m["chunk_bytes"] else 0
    rules = [
        ("version", m["version"] == 2),
        ("sender", m["sender"] == SENDER),
        ("lane", m["lane"] == LANE),
        ("object", m["object_id"] <= MAX_SAFE and m["object_id"] // 2**32 == m["epoch"]),
        ("bundle-id", len(m["bundle_id"]) == 16),
        ("header-digest", len(m["header_digest"]) == 32),
        ("shard-size", 256 <= m["shard_size"] + 48 <= 8_944),
        ("group-shards", 1 <= m["group_shards"] <= 224 and m["group_shards"] + m["parity_shards"] <= 255),
        ("parity-shards", m["parity_shards"] <= 64),
        ("size", m["size"] <= MAX_HEAD + MAX_CHUNKS * 262_160),
        ("head-size", 32 <= m["head_size"] <= min(m["size"], MAX_HEAD)),
        ("head-digest", len(m["head_digest"]) == 32),
        ("chunk-bytes", 4_112 <= m["chunk_bytes"] <= 262_160),
        ("chunks", 1 <= chunks <= MAX_CHUNKS and 32 * chunks <= m["head_size"]),
        ("object", m["object_id"] == object_id),
    ]
    return next((name for name, holds in rules if not holds), None)
