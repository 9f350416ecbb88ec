"""Guarantee: a reader of GB/T 35275 signedAndEnvelopedData that shares nothing with the writer.

ASN.1 by pyasn1, SM3 and SM4 by cryptography, SM2 from GB/T 32918 parts 2 and 4 in plain integers.
Usage: cms-reader.py export.der scalar-hex signer-public-key-hex; writes the content to stdout.
"""

import sys

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import namedtype, tag, univ

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


def fields(name, *parts):
    components = namedtype.NamedTypes(*(namedtype.NamedType(n, t) for n, t in parts))
    return type(name, (univ.Sequence,), {"componentType": components})()


def set_of(component):
    return univ.SetOf(componentType=component)


def implicit(number, kind, base):
    return base.subtype(implicitTag=tag.Tag(tag.tagClassContext, kind, number))


class Algorithm(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("oid", univ.ObjectIdentifier()),
        namedtype.OptionalNamedType("parameters", univ.Any()),
    )


Issuer = fields("Issuer", ("name", univ.Any()), ("serial", univ.Integer()))
Recipient = fields(
    "Recipient",
    ("version", univ.Integer()),
    ("issuer", Issuer),
    ("algorithm", Algorithm()),
    ("key", univ.OctetString()),
)
Encrypted = fields(
    "Encrypted",
    ("type", univ.ObjectIdentifier()),
    ("algorithm", Algorithm()),
    ("content", implicit(0, tag.tagFormatSimple, univ.OctetString())),
)
Signer = fields(
    "Signer",
    ("version", univ.Integer()),
    ("issuer", Issuer),
    ("digest", Algorithm()),
    ("algorithm", Algorithm()),
    ("signature", univ.OctetString()),
)
Message = fields(
    "Message",
    ("version", univ.Integer()),
    ("recipients", set_of(Recipient)),
    ("digests", set_of(Algorithm())),
    ("encrypted", Encrypted),
    ("certificates", implicit(0, tag.tagFormatConstructed, set_of(univ.Any()))),
    ("signers", set_of(Signer)),
)
Outer = fields(
    "Outer",
    ("type", univ.ObjectIdentifier()),
    ("content", univ.Any().subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0))),
)
Pair = fields("Pair", ("r", univ.Integer()), ("s", univ.Integer()))
Sm2Cipher = fields(
    "Sm2Cipher",
    ("x", univ.Integer()),
    ("y", univ.Integer()),
    ("hash", univ.OctetString()),
    ("cipher", univ.OctetString()),
)


def read(data, spec):
    value, rest = decoder.decode(data, asn1Spec=spec)
    assert not rest, "bytes follow"
    assert encoder.encode(value) == data, "not DER"
    return value


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] + A) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def sm3(*parts):
    digest = hashes.Hash(hashes.SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize()


def word(number):
    return number.to_bytes(32, "big")


def decrypt(scalar, sealed):
    parts = read(sealed, Sm2Cipher)
    x, y = times(scalar, (int(parts["x"]), int(parts["y"])))
    cipher = bytes(parts["cipher"])
    blocks = range(1, (len(cipher) + 31) // 32 + 1)
    mask = b"".join(sm3(word(x), word(y), count.to_bytes(4, "big")) for count in blocks)
    plain = bytes(c ^ m for c, m in zip(cipher, mask))
    return plain if sm3(word(x), plain, word(y)) == bytes(parts["hash"]) else None


def verify(key, message, signature, user=b"1234567812345678"):
    pair = read(signature, Pair)
    r, s = int(pair["r"]), int(pair["s"])
    bits = (8 * len(user)).to_bytes(2, "big")
    z = sm3(bits, user, *(word(n) for n in (A, B, *G, *key)))
    e = int.from_bytes(sm3(z, message), "big")
    point = add(times(s, G), times((r + s) % N, key))
    return 0 < r < N and 0 < s < N and (e + point[0]) % N == r


def main(path, scalar, public):
    with open(path, "rb") as file:
        outer = read(file.read(), Outer)
    assert str(outer["type"]) == "1.2.156.10197.6.1.4.2.4"
    message = read(bytes(outer["content"]), Message)
    assert int(message["version"]) == 1
    assert [str(digest["oid"]) for digest in message["digests"]] == ["1.2.156.10197.1.401"]
    keys = [decrypt(int(scalar, 16), bytes(info["key"])) for info in message["recipients"]]
    (key,) = [found for found in keys if found is not None]
    encrypted = message["encrypted"]
    assert str(encrypted["algorithm"]["oid"]) == "1.2.156.10197.1.104.2"
    vector = read(bytes(encrypted["algorithm"]["parameters"]), univ.OctetString())
    opened = Cipher(algorithms.SM4(key), modes.CBC(bytes(vector))).decryptor()
    padded = opened.update(bytes(encrypted["content"])) + opened.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    content = unpadder.update(padded) + unpadder.finalize()
    (signer,) = message["signers"]
    assert str(signer["algorithm"]["oid"]) == "1.2.156.10197.1.301.1"
    point = (int(public[2:66], 16), int(public[66:], 16))
    assert verify(point, content, bytes(signer["signature"])), "signature"
    assert not verify(point, content + b"x", bytes(signer["signature"]))
    sys.stdout.buffer.write(content)


main(*sys.argv[1:])
