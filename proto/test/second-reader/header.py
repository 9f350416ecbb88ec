"""Guarantee: read_header() makes the checks of SPEC.md §8.1 and §4.2, in their order."""

import re

from sm3 import sm3
from wire import Malformed, canonical, decode

MAX_HEADER = 1 << 20
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
KEY_ID = re.compile(r"[0-9a-f]{32}\Z")
GRADES = ["G1", "G2", "G3", "G4", "IMPORTANT", "CORE"]  # from the lowest to the highest
YEAR_MS = 366 * 86_400_000
CLOCK_DIFFERENCE_MS = 300_000


class Refused(Exception):
    def __init__(self, code, detail=""):
        super().__init__(f"{code}: {detail}")
        self.code = code


def require(holds, code, detail=""):
    if not holds:
        raise Refused(code, detail)


def is_uuid7(value):
    return len(value) == 16 and value[6] >> 4 == 7 and value[8] >> 6 == 2


def units(text):
    """UTF-16 code units: by them texts are measured and ordered (§1)."""
    return text.encode("utf-16-be")


def characters(text):
    return len(units(text)) // 2


def ascending(texts):
    """Without repetition."""
    return all(units(a) < units(b) for a, b in zip(texts, texts[1:]))


class Bundle:
    """A bundle whose form is sound: its header, the parts of the file, and where each chunk lies."""

    def __init__(self, data, header, encoded):
        at = 8 + len(encoded)
        self.data, self.header, self.encoded = data, header, encoded
        self.signature = data[at : at + 64]
        self.table = [data[i : i + 32] for i in range(at + 64, at + 64 + 32 * header["chunk_count"], 32)]
        self.chunks_at = at + 64 + 32 * header["chunk_count"]

    def chunk(self, index):
        """Ciphertext ‖ tag."""
        step = self.header["chunk_size"] + 16
        return self.data[self.chunks_at + index * step : self.chunks_at + (index + 1) * step]


def read_header(data):
    require(len(data) >= 8, "bundle.truncated", "eight bytes")
    require(data[:4] == b"LFB1", "bundle.not-a-bundle")
    length = int.from_bytes(data[4:8], "big")
    require(length <= MAX_HEADER, "bundle.header-too-large")
    require(len(data) >= 8 + length + 64, "bundle.truncated", "header and signature")
    encoded = data[8 : 8 + length]
    try:
        header = decode("Header", encoded)
    except Malformed as cause:
        raise Refused("bundle.header-malformed", str(cause)) from cause
    require(header["version"] == 1, "bundle.version-unsupported")
    require(canonical("Header", encoded, header), "bundle.not-canonical", "header")
    field = next((field for field, holds in header_fields(header) if not holds), None)
    require(field is None, "bundle.header-invalid", field)
    end = 8 + length + 64 + 32 * header["chunk_count"] + header["plaintext_size"] + 16 * header["chunk_count"]
    require(len(data) >= end, "bundle.truncated", "table and chunks")
    require(len(data) <= end, "bundle.trailing-bytes")
    return Bundle(data, header, encoded)


def header_fields(h):
    """Each field's rule of §4.2, and whether it holds; a generator, so that no rule is looked at after one that fails."""
    yield "bundle_id", is_uuid7(h["bundle_id"])
    yield "lane", NAME.match(h["lane"])
    yield "sender", NAME.match(h["sender"])
    stream = h["stream"].split("/")
    yield "stream", len(stream) == 3 and stream[:2] == [h["lane"], h["sender"]] and NAME.match(stream[2])
    yield "sequence", 1 <= h["sequence"] < 2**53
    yield "previous_digest", len(h["previous_digest"]) == 32
    yield "previous_digest", (not any(h["previous_digest"])) == (h["sequence"] == 1)
    yield "sign_key_id", KEY_ID.match(h["sign_key_id"])
    yield "created_ms", 0 < h["created_ms"] < h["expires_ms"]
    yield "expires_ms", h["expires_ms"] <= h["created_ms"] + YEAR_MS and h["expires_ms"] < 2**53
    yield "grade", h["grade"] in GRADES
    yield "chunk_size", h["chunk_size"] in [1 << n for n in range(12, 19)]
    yield "plaintext_size", 4 < h["plaintext_size"] < 2**53
    yield "chunk_count", 1 <= h["chunk_count"] <= 1 << 20
    yield "chunk_count", h["chunk_count"] == -(-h["plaintext_size"] // h["chunk_size"])
    for root in ("ciphertext_root", "item_root", "key_commitment"):
        yield root, len(h[root]) == 32
    yield "recipients", 1 <= len(h["recipients"]) <= 16 and ascending([r["node_id"] for r in h["recipients"]])
    for r in h["recipients"]:
        yield "recipients", NAME.match(r["node_id"]) and KEY_ID.match(r["key_id"]) and 1 <= len(r["wrapped_secret"]) <= 256
    for b in h["verdict_batches"]:
        yield "verdict_batches", NAME.match(b["policy_node"]) and KEY_ID.match(b["key_id"])
        yield "verdict_batches", len(b["root"]) == 32 and len(b["signature"]) == 64
    yield "items", 1 <= len(h["items"]) <= 1024
    for item in h["items"]:
        yield "items", len(item["commitment"]) == 32 and 1 <= len(item["verdict"]) <= 8192
        yield "items", item["batch"] < len(h["verdict_batches"])
        yield "items", len(item["path"]) <= 10 and all(len(step) == 32 for step in item["path"])
    yield "verdict_batches", {item["batch"] for item in h["items"]} == set(range(len(h["verdict_batches"])))
    yield "policy_version", characters(h["policy_version"]) <= 128
    yield "certificates", len(h["certificates"]) <= 8 and len(set(h["certificates"])) == len(h["certificates"])
    yield "certificates", all(1 <= len(der) <= 2048 for der in h["certificates"])
    if (c := h["checkpoint"]) is not None:
        yield "checkpoint", 1 <= len(c["note"]) <= 4096 and c["old_size"] < 2**53
        yield "checkpoint", len(c["consistency"]) <= 64 and all(len(step) == 32 for step in c["consistency"])


def header_digest(bundle):
    return sm3(bundle.encoded)
