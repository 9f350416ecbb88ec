"""Guarantee: link keys by the text of ferry/SPEC.md §13.2 alone: what is wrapped, how a node's encryption key wraps it (SM2Cipher of
proto/SPEC.md §5.1), and what opening refuses. As with signatures the random number follows from the text, so that the vectors stay the same."""
import sm2
import wire
from oracle.signed import Key, heartbeat
from sm3 import ds, sm3

LABEL = "ferry-link-key/1"
SECRET_BYTES = 32
NODE, FORMER, ABSENT = Key("tags test: encryption key"), Key("tags test: former encryption key"), Key("tags test: key of no node")
HELD = NODE, FORMER


def element(tag, body):
    length = len(body)
    return bytes([tag, length]) + body if length < 128 else bytes([tag, 0x81, length]) + body


def integer(value):
    """Shortest, and never negative."""
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def wrap(key, plain, flip=0):
    """`flip`: bits of the hash that are wrong."""
    scalar = sm2.number(sm3(sm2.octets(key.secret) + plain)) % (sm2.N - 1) + 1
    x1, y1 = sm2.affine(sm2.multiply(scalar, sm2.GX, sm2.GY))
    px, py = sm2.number(key.public[1:33]), sm2.number(key.public[33:])
    x2, y2 = map(sm2.octets, sm2.affine(sm2.multiply(scalar, px, py)))
    stream = b"".join(sm3(x2 + y2 + count.to_bytes(4, "big")) for count in range(1, len(plain) // 32 + 2))
    digest = bytearray(sm3(x2 + plain + y2))
    digest[-1] ^= flip
    masked = bytes(a ^ b for a, b in zip(plain, stream))
    return element(0x30, integer(x1) + integer(y1) + element(0x04, bytes(digest)) + element(0x04, masked))


def opened(key_id, wrapped):
    """The secret, or the name of the refusal."""
    key = next((held for held in HELD if held.key_id == key_id), None)
    if key is None:
        return "link-key.unknown-key"
    try:
        plain = sm2.decrypt(key.secret, wrapped)
    except ValueError:
        return "link-key.invalid"
    begin = ds(LABEL, b"")
    good = plain.startswith(begin) and len(plain) == len(begin) + SECRET_BYTES
    return plain[len(begin) :] if good else "link-key.invalid"


def good(name, key, secret):
    plain = ds(LABEL, secret)
    wrapped = wrap(key, plain)
    assert len(plain) == 60 and opened(key.key_id, wrapped) == secret, name
    message = {"key_id": key.key_id, "wrapped": wrapped}
    return {"name": name, "keyId": key.key_id, "secret": secret.hex(), "plaintext": plain.hex(), "wrapped": wrapped.hex(),
            "message": wire.encode("WrappedLinkKey", message).hex(), "heartbeat": heartbeat({"link_key": message}).hex()}


def refused(secret):
    plain = ds(LABEL, secret)
    sound = wrap(NODE, plain)
    shapes = [
        ("a bundle's secret", secret), ("nothing", b""), ("the label alone", ds(LABEL, b"")), ("31 bytes of secret", plain[:-1]),
        ("33 bytes of secret", plain + b"\0"), ("another version of the label", ds("ferry-link-key/2", secret)),
        ("another label", ds("ferry-tags/1.xxx", secret)), ("a space for the zero byte", plain.replace(b"\0", b" ", 1)),
        ("capitals", plain.replace(b"ferry-link", b"Ferry-Link")), ("secret first", secret + ds(LABEL, b"")),
    ]
    # An SM2Cipher of nothing does not open at all.
    cases = [(name, NODE, wrap(NODE, shape), shape.hex() or None) for name, shape in shapes]
    cases += [("one bit of the hash", NODE, wrap(NODE, plain, flip=1), None), ("a byte behind it", NODE, sound + b"\0", None),
              ("a byte less", NODE, sound[:-1], None), ("not wrapped at all", NODE, plain, None),
              ("for the other key", FORMER, sound, None), ("a key that the node does not have", ABSENT, wrap(ABSENT, plain), None),
              ("a key that the node does not have, and the label is wrong", ABSENT, wrap(ABSENT, secret), None)]
    for name, key, wrapped, shape in cases:
        reason = opened(key.key_id, wrapped)
        assert reason == ("link-key.unknown-key" if key is ABSENT else "link-key.invalid"), name
        yield {"reason": reason, "name": name, "keyId": key.key_id, "wrapped": wrapped.hex(), **({"plaintext": shape} if shape else {})}
