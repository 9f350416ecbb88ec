"""Guarantee: open_bundle() makes the checks of SPEC.md §8.3, §8.4, §6.3 and §6.4, in their order."""

import re

from header import Refused, characters, is_uuid7, require, units
from sm2 import decrypt
from sm3 import ds, hmac_sm3, leaf_hash, sm3
from sm4 import gcm_open
from wire import Malformed, canonical, decode, encode

MAX_MANIFEST, MAX_ENTRY = 16 << 20, 64 << 10
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")


class Plaintext:
    """The plaintext by offset: each chunk is checked against the table and by its tag when bytes of it are first wanted."""

    def __init__(self, bundle, key):
        h = bundle.header
        preamble = {
            **{field: h[field] for field in ("version", "bundle_id", "lane", "sender", "chunk_size")},
            "recipients": [{**r, "wrapped_secret": b""} for r in h["recipients"]],
        }
        blank = {**decode("Header", b""), **preamble}
        self.associated = sm3(ds("bundle-preamble/1", encode("Header", blank)))
        self.bundle, self.key, self.opened = bundle, key, {}

    def chunk(self, index):
        if index not in self.opened:
            sealed = self.bundle.chunk(index)
            require(leaf_hash(sealed) == self.bundle.table[index], "bundle.chunk-digest", index)
            last = index == self.bundle.header["chunk_count"] - 1
            plain = gcm_open(self.key, index.to_bytes(11, "big") + bytes([last]), self.associated, sealed)
            require(plain is not None, "bundle.chunk-decrypt", index)
            self.opened[index] = plain
        return self.opened[index]

    def read(self, start, length):
        size, out = self.bundle.header["chunk_size"], []
        for index in range(start // size, -(-(start + length) // size) if length else 0):
            begin = index * size
            out.append(self.chunk(index)[max(0, start - begin) : start + length - begin])
        return b"".join(out)


def unwrap(bundle, decrypt_keys):
    """§8.4 steps 1–3: the key of the chunks. decrypt_keys: key id -> private key."""
    h = bundle.header
    record = next((r for r in h["recipients"] if r["key_id"] in decrypt_keys), None)
    require(record is not None, "bundle.unknown-decrypt-key")
    try:
        secret = decrypt(decrypt_keys[record["key_id"]], record["wrapped_secret"])
    except ValueError as cause:
        raise Refused("bundle.secret-unwrap-failed", str(cause)) from cause
    require(len(secret) == 32, "bundle.secret-unwrap-failed", "length")
    commitment = hmac_sm3(secret, ds("bundle-key-commitment/1", h["bundle_id"]))
    require(commitment == h["key_commitment"], "bundle.key-commitment")
    return hmac_sm3(secret, ds("bundle-key/1", h["bundle_id"]))[:16]


def read_canonical(name, encoded):
    try:
        message = decode(name, encoded)
    except Malformed as cause:
        raise Refused("bundle.manifest-invalid", str(cause)) from cause
    require(canonical(name, encoded, message), "bundle.not-canonical", name)
    return message


def read_manifest(plaintext, header, verdicts):
    """§6.3 and §6.4: the entries, and where the contents begin."""
    length = int.from_bytes(plaintext.read(0, 4), "big")
    require(1 <= length <= MAX_MANIFEST and 4 + length <= header["plaintext_size"], "bundle.manifest-invalid", "length")
    manifest = read_canonical("Manifest", plaintext.read(4, length))
    require(len(manifest["trust"]) <= 32, "bundle.manifest-invalid", "trust")
    require(all(1 <= len(der) <= 64 << 10 for der in manifest["trust"]), "bundle.manifest-invalid", "trust")
    require(len(manifest["items"]) == len(header["items"]), "bundle.manifest-invalid", "number of items")
    entries = []
    for item, record, verdict in zip(manifest["items"], header["items"], verdicts):
        require(len(item["salt"]) == 32, "bundle.manifest-invalid", "salt")
        require(len(item["trail"]) <= 64, "bundle.manifest-invalid", "trail")
        require(all(1 <= len(event) <= 16 << 10 for event in item["trail"]), "bundle.manifest-invalid", "trail")
        require(sm3(b"\0" + item["salt"] + item["entry"]) == record["commitment"], "bundle.commitment-mismatch")
        require(len(item["entry"]) <= MAX_ENTRY, "bundle.manifest-invalid", "entry too long")
        entry = read_canonical("ManifestEntry", item["entry"])
        field = next((field for field, holds in entry_fields(entry, verdict) if not holds), None)
        require(field is None, "bundle.manifest-invalid", field)
        entries.append(entry)
    require(len({e["exchange_id"] for e in entries}) == len(entries), "bundle.duplicate-item", "exchange id")
    total = 4 + length + sum(e["size"] for e in entries)
    require(total == header["plaintext_size"], "bundle.manifest-invalid", "sizes")
    return entries, 4 + length


def entry_fields(e, verdict):
    """Each field's rule of §6.2, and whether it holds."""
    yield "exchange_id", is_uuid7(e["exchange_id"])
    kinds = {"request": (True, False), "file": (False, True), "receipt": (False, False)}
    yield "kind", kinds.get(e["kind"]) == (e["http"] is not None, e["file"] is not None)
    yield "service", e["service"] != ""
    for field in ("service", "caller", "grant", "purpose", "ordering_key"):
        yield field, characters(e[field]) <= 512
    yield "grade", e["grade"] == verdict["grade"]
    yield "size", e["size"] < 2**53 and e["submitted_ms"] < 2**53
    yield "digest", len(e["digest"]) == 32
    if (http := e["http"]) is not None:
        yield "method", re.fullmatch("[A-Z]{3,10}", http["method"])
        yield "path", http["path"].startswith("/") and is_plain(http["path"], 8192)
        pairs = [(header["name"], units(header["value"])) for header in http["headers"]]
        yield "headers", len(pairs) <= 128 and all(a <= b for a, b in zip(pairs, pairs[1:]))
        yield "headers", all(HEADER_NAME.fullmatch(header["name"]) for header in http["headers"])
        yield "headers", all(is_plain(header["value"]) for header in http["headers"])
    if (file := e["file"]) is not None:
        yield "name", 1 <= len(file["name"].encode()) <= 255 and file["name"] not in (".", "..")
        yield "name", not re.search(r"[/\\]", file["name"]) and is_plain(file["name"])
        yield "content_type", is_plain(file["content_type"], 512)


def is_plain(text, longest=MAX_ENTRY):
    """Without control characters."""
    return characters(text) <= longest and not CONTROL.search(text)


def open_bundle(bundle, verdicts, decrypt_keys):
    """Each item's content, or the Refused that concerns it alone."""
    plaintext = Plaintext(bundle, unwrap(bundle, decrypt_keys))
    entries, at = read_manifest(plaintext, bundle.header, verdicts)
    results = []
    for entry in entries:
        try:
            content = plaintext.read(at, entry["size"])
            require(sm3(content) == entry["digest"], "bundle.item-digest")
            results.append(content)
        except Refused as refusal:
            results.append(refusal)
        at += entry["size"]
    return results
