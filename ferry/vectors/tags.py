"""Guarantee: tags by the text of ferry/SPEC.md §13 alone, sharing nothing with the programs. Python 3 without packages. Every secret
and key in what it writes is SM3 of a text that stands here, or a constant: for tests, and never to be used.

    python3 ferry/vectors/tags.py > ferry/vectors/tags.json
"""
import hashlib
import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "proto/test/second-reader")]

import sm2  # noqa: E402
from oracle import link_keys  # noqa: E402
from oracle.frame import DATA, SAFE, TAGS, read, write  # noqa: E402
from oracle.gmac import gcm_tag  # noqa: E402
from oracle.signed import MAX_CHUNKS, MAX_HEAD, OBJECT_ID  # noqa: E402
from sm3 import ds, hmac_sm3, sm3  # noqa: E402

SECRETS = {"first": sm3(b"tags test: first secret"), "second": sm3(b"tags test: second secret"), "zeros": bytes(32), "ones": b"\xff" * 32}
OBJECT_IDS = (1, OBJECT_ID, OBJECT_ID + 1, 0x0001_0203_0405_0607, SAFE)
SHORT_OBJECT = 2**20
LEAST_CHUNK, MOST_CHUNK = 65_552, 262_160


def content(length, start):
    return bytes((31 * n + 17 * (n >> 8) + start) & 255 for n in range(length))


def tag_key(secret, object_id):
    return hmac_sm3(secret, ds("ferry-tags/1", object_id.to_bytes(8, "big")))[:16]


def nonce(number, chunk):
    return number.to_bytes(8, "big") + chunk.to_bytes(4, "big")


def tag(secret, object_id, number, chunk, data):
    return gcm_tag(tag_key(secret, object_id), nonce(number, chunk), data)


def is_tagged(size, chunk_bytes):
    return size > SHORT_OBJECT and chunk_bytes >= LEAST_CHUNK


def read_tags(payload, first, chunks):
    """(set, tags), or None."""
    count, rest = divmod(len(payload) - 8, 16)
    number = int.from_bytes(payload[:8], "big")
    if rest or count < 1 or not 1 <= number <= SAFE or first + count > chunks:
        return None
    return number, [payload[at : at + 16] for at in range(8, len(payload), 16)]


def keys():
    for name, secret in SECRETS.items():
        for object_id in OBJECT_IDS:
            yield {"secret": name, "objectId": object_id, "key": tag_key(secret, object_id).hex()}


def nonces():
    for number, chunk in [(1, 0), (1, 1), (2, 0), (256, 65_536), (2**32 - 1, 7), (2**32, 7), (0x0001_0203_0405_0607, 0x0008_090A),
                          (SAFE, MAX_CHUNKS - 1)]:
        yield {"set": number, "chunk": chunk, "nonce": nonce(number, chunk).hex()}


def tags():
    """Lengths around the block of the cipher and of chunks; then the same bytes where one thing is another."""
    lengths = (1, 2, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 4_095, 4_112, 65_551, LEAST_CHUNK, LEAST_CHUNK + 1, MOST_CHUNK - 1, MOST_CHUNK)
    base = {"secret": "first", "objectId": OBJECT_ID, "set": 7, "chunk": 3, "bytes": 100, "start": 5}
    cases = [(f"{length} bytes", {"bytes": length, "start": length & 255}) for length in lengths]
    cases += [("the same for all that follow", {}), ("another secret", {"secret": "second"}), ("another object", {"objectId": OBJECT_ID + 1}),
              ("another set", {"set": 8}), ("another chunk", {"chunk": 4}), ("set and chunk exchanged", {"set": 3, "chunk": 7}),
              ("other bytes", {"start": 6}), ("a byte more", {"bytes": 101}), ("greatest set and chunk", {"set": SAFE, "chunk": MAX_CHUNKS - 1}),
              ("greatest object", {"objectId": SAFE}), ("secret of zeros", {"secret": "zeros"}), ("secret of ones", {"secret": "ones"})]
    for name, change in cases:
        case = {**base, **change}
        data = content(case["bytes"], case["start"])
        made = tag(SECRETS[case["secret"]], case["objectId"], case["set"], case["chunk"], data)
        yield {"name": name, **case, **({"data": data.hex()} if len(data) <= 33 else {}), "tag": made.hex()}


def tagged():
    head = 72 + 300 + 32
    for size in (head + 1, SHORT_OBJECT - 1, SHORT_OBJECT, SHORT_OBJECT + 1, 2**30):
        for chunk_bytes in (4_112, LEAST_CHUNK - 16, LEAST_CHUNK - 1, LEAST_CHUNK, LEAST_CHUNK + 1, MOST_CHUNK):
            yield {"size": size, "headSize": head, "chunkBytes": chunk_bytes, "tagged": is_tagged(size, chunk_bytes)}
    # Nearly all of it is head: its size counts, not that of its chunks.
    yield {"size": SHORT_OBJECT + 1, "headSize": SHORT_OBJECT, "chunkBytes": LEAST_CHUNK, "tagged": True}


# Twenty chunks and one of 1,234 bytes; the most chunks of the longest.
OBJECT = {"size": 1_500 + 20 * LEAST_CHUNK + 1_234, "headSize": 1_500, "chunkBytes": LEAST_CHUNK}
COARSE = {"size": 40_000 + 5 * MOST_CHUNK - 1, "headSize": 40_000, "chunkBytes": MOST_CHUNK}
LONGEST = {"size": MAX_HEAD + MAX_CHUNKS * MOST_CHUNK, "headSize": MAX_HEAD, "chunkBytes": MOST_CHUNK}


def chunks_of(sizes):
    return -(-(sizes["size"] - sizes["headSize"]) // sizes["chunkBytes"])


def frame(name, sizes, number, first, count, fields=None, listed=True):
    fields = {"type": TAGS, "epoch": 3, "seq": 77, "objectId": OBJECT_ID, "group": first, "shard": 0, "k": 1, "m": 0, "channel": 2,
              "objectSize": sizes["size"], "link": 1, "lane": 4, "flags": 0, **(fields or {})}
    if listed:
        length = lambda chunk: min(sizes["chunkBytes"], sizes["size"] - sizes["headSize"] - chunk * sizes["chunkBytes"])  # noqa: E731
        made = [tag(SECRETS["first"], fields["objectId"], number, chunk, content(length(chunk), chunk & 255))
                for chunk in range(first, first + count)]
    else:
        made = [bytes((7 * n + 16 * count) & 255 for n in range(16 * count))]
    payload = number.to_bytes(8, "big") + b"".join(made)
    out = write(fields, payload)
    assert isinstance(read(out), dict) and read_tags(payload, first, chunks_of(sizes)), name
    case = {"name": name, **sizes, "chunks": chunks_of(sizes), "fields": fields, "set": number, "count": count}
    if listed:
        return {**case, "tags": [each.hex() for each in made], "frame": out.hex()}
    return {**case, "sha256": hashlib.sha256(out).hexdigest()}


def frames():
    yield frame("one tag", OBJECT, 1, 0, 1)
    yield frame("all of an object, its last chunk short", OBJECT, 2, 0, 21)
    yield frame("the last two, in a repeated pass", OBJECT, 3, 19, 2, {"flags": 1, "seq": 78})
    yield frame("longest chunks, the last one odd", COARSE, 0x0001_0203_0405_0607, 3, 2, {"channel": 1, "epoch": 4})
    yield frame("last chunk of the longest object", LONGEST, SAFE, MAX_CHUNKS - 1, 1, {"link": 15, "lane": 15}, False)
    yield frame("as many as a frame of MTU 1500 holds", LONGEST, 4, 65_537, 87, {"channel": 0}, False)
    yield frame("as many as the longest frame holds", LONGEST, 5, MAX_CHUNKS - 555, 555, {"objectId": SAFE, "epoch": SAFE // 2**32}, False)


def refused_frames():
    """What §2 refuses before anything of the payload is looked at."""
    good = {"type": TAGS, "epoch": 3, "seq": 77, "objectId": OBJECT_ID, "group": 2, "k": 1, "objectSize": OBJECT["size"]}
    cases = [("shard", change) for change in (
        {"k": 0}, {"k": 2}, {"k": 2, "shard": 1}, {"k": 255}, {"shard": 1}, {"shard": 255}, {"m": 1}, {"m": 254}, {"k": 0, "m": 1})]
    cases += [("number", {"objectId": SAFE + 1}), ("channel", {"channel": 3}), ("flags", {"flags": 4}), ("flags", {"flags": 0xFD}),
              ("shard", {"k": 2, "channel": 3, "flags": 4}), ("number", {"epoch": SAFE + 1, "k": 2}), ("type", {"type": TAGS + 1})]
    payload = (1).to_bytes(8, "big") + bytes(16)
    for reason, change in cases:
        out = write({**good, **change}, payload)
        assert read(out) == reason, change
        yield {"reason": reason, "name": json.dumps(change), "datagram": out.hex()}
    shard = write({**good, "type": DATA, "shard": 0}, payload)
    for name, out in [("one bit of a tag", write(good, payload[:-1] + b"\1")[:-1] + b"\0"),
                      ("a shard, but for its type", shard[:3] + bytes([TAGS]) + shard[4:])]:
        assert read(out) == "checksum", name
        yield {"reason": "checksum", "name": name, "datagram": out.hex()}


def refused_payloads():
    """Counted as `tags`, and none of their tags is kept."""
    one = (1).to_bytes(8, "big")
    last = chunks_of(OBJECT) - 1
    cases = [(f"{length} bytes", content(length, 1) if length < 8 else one + content(length - 8, 1), 0)
             for length in (0, 1, 7, 8, 9, 15, 16, 23, 25, 31, 32, 39, 41, 55)]
    cases += [(f"set {number}", number.to_bytes(8, "big") + content(32, 1), 0) for number in (0, SAFE + 1, 2**63, 2**64 - 1)]
    cases += [(f"{count} from chunk {first}", one + content(16 * count, 1), first) for count, first in (
        (2, last), (1, last + 1), (3, last - 1), (last + 2, 0), (1, MAX_CHUNKS), (1, 2**31), (1, 2**32 - 1), (2, 2**32 - 1))]
    for name, payload, first in cases:
        assert read_tags(payload, first, last + 1) is None, name
        yield {"name": name, "payload": payload.hex(), "first": first, "chunks": last + 1}


if __name__ == "__main__":
    held = {key.key_id: {"scalar": sm2.octets(key.secret).hex(), "publicKey": key.public.hex()} for key in link_keys.HELD}
    print(json.dumps({
        "forTests": "every secret and private key here was made up for these vectors and protects nothing; never use one",
        "content": "byte n of a chunk = (31 n + 17 floor(n / 256) + start) mod 256; in an object start is the chunk's number mod 256",
        "unlisted": "where a frame has no list of tags, byte n of its N bytes of tags = (7 n + N) mod 256",
        "secrets": {name: secret.hex() for name, secret in SECRETS.items()},
        "encryptionKeys": held,
        "linkKeys": [link_keys.good("key in force", link_keys.NODE, SECRETS["first"]),
                     link_keys.good("former key", link_keys.FORMER, SECRETS["second"]),
                     link_keys.good("secret of zeros", link_keys.NODE, SECRETS["zeros"])],
        "linkKeysRefused": list(link_keys.refused(SECRETS["first"])),
        "keys": list(keys()),
        "nonces": list(nonces()),
        "tags": list(tags()),
        "tagged": list(tagged()),
        "frames": list(frames()),
        "refusedFrames": list(refused_frames()),
        "refusedPayloads": list(refused_payloads()),
    }, indent=1))
