"""Guarantee: SM2 verification (GB/T 32918.2) and decryption (GB/T 32918.4, SM2Cipher of GB/T 35276); for tests: not constant in time."""

import der
from sm3 import sm3

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
USER_ID = b"1234567812345678"


def double(point):
    """In Jacobian coordinates (X, Y, Z), a = -3; Z = 0 is the point at infinity."""
    x, y, z = point
    yy, zz = y * y % P, z * z % P
    s, m = 4 * x * yy % P, 3 * (x - zz) * (x + zz) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def add(p, q):
    if p[2] == 0:
        return q
    if q[2] == 0:
        return p
    pzz, qzz = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * qzz % P, q[0] * pzz % P
    s1, s2 = p[1] * qzz * q[2] % P, q[1] * pzz * p[2] % P
    if u1 == u2:
        return double(p) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * p[2] * q[2] % P


def multiply(scalar, x, y):
    total, point = (1, 1, 0), (x, y, 1)
    for bit in bin(scalar)[2:]:
        total = double(total)
        if bit == "1":
            total = add(total, point)
    return total


def affine(point):
    x, y, z = point
    inverse = pow(z, -1, P)
    return x * inverse * inverse % P, y * inverse * inverse * inverse % P


def number(data):
    return int.from_bytes(data, "big")


def octets(value):
    return value.to_bytes(32, "big")


def on_curve(x, y):
    return x < P and y < P and (y * y - x * x * x - A * x - B) % P == 0


def verify(public_key, message, signature):
    """public_key: 65 bytes 04 ‖ X ‖ Y; signature: 64 bytes r ‖ s."""
    x, y, r, s = number(public_key[1:33]), number(public_key[33:]), number(signature[:32]), number(signature[32:])
    t = (r + s) % N
    if len(signature) != 64 or not 0 < r < N or not 0 < s < N or t == 0:
        return False
    identity = (8 * len(USER_ID)).to_bytes(2, "big") + USER_ID
    z = sm3(identity + b"".join(map(octets, (A, B, GX, GY, x, y))))
    point = add(multiply(s, GX, GY), multiply(t, x, y))
    return point[2] != 0 and (number(sm3(z + message)) + affine(point)[0]) % N == r


def decrypt(private_key, cipher):
    """SM2Cipher ::= SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING (32), cipher OCTET STRING }; ValueError if it is not good."""
    body = der.whole(cipher)
    x, y = body.number(), body.number()
    digest, masked = body.take(der.OCTETS), body.take(der.OCTETS)
    body.end()
    der.require(len(digest) == 32 and masked and on_curve(x, y), "not an SM2Cipher")
    x2, y2 = map(octets, affine(multiply(private_key, x, y)))
    stream = b"".join(sm3(x2 + y2 + i.to_bytes(4, "big")) for i in range(1, len(masked) // 32 + 2))
    plain = bytes(a ^ b for a, b in zip(masked, stream))
    der.require(any(stream[: len(masked)]) and sm3(x2 + plain + y2) == digest, "the hash is another")
    return plain


def signature_of_der(encoded):
    """r ‖ s of SEQUENCE { r, s }."""
    body = der.whole(encoded)
    r, s = body.number(), body.number()
    body.end()
    der.require(r < N and s < N, "not a signature")
    return octets(r) + octets(s)
