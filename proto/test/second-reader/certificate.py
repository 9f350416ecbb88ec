"""Guarantee: read_certificate() and read_list() take what follows the profile of SPEC.md §14.2 and §14.3, and raise ValueError for anything else."""

import re
import unicodedata
from datetime import datetime, timezone

import der
from der import require
from sm2 import number, on_curve, signature_of_der, verify
from sm3 import sm3

SM2_WITH_SM3, SM2_KEY = "2a811ccf55018375", ("2a8648ce3d0201", "2a811ccf5501822d")
COUNTRY, ORGANISATION, UNIT, COMMON_NAME = "550406", "55040a", "55040b", "550403"
CONSTRAINTS, USAGE, ALT_NAME, SUBJECT_KEY, AUTHORITY_KEY = "551d13", "551d0f", "551d11", "551d0e", "551d23"
CRL_NUMBER, CRL_REASON = "551d14", "551d15"
CRITICAL = {CONSTRAINTS, USAGE}
USES = ("sign", "encrypt", "policy", "audit", "ferry")
NAME = "[a-z0-9][a-z0-9-]{0,62}"
REASONS = {1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation", 9: "privilegeWithdrawn"}


def read_name(members):
    """The bytes of the name, and whether it is one for demonstration."""
    encoded = members.raw(der.SEQUENCE)
    parts, found = der.whole(encoded), []
    while parts.more():
        rdn = parts.inside(der.SET)
        pair = rdn.inside()
        rdn.end()
        kind = pair.take(der.OID).hex()
        tag = der.PRINTABLE if pair.peek() == der.PRINTABLE else der.UTF8
        text = pair.take(tag).decode("ascii" if tag == der.PRINTABLE else "utf-8")
        pair.end()
        require(1 <= len(text) <= 64 and not any(unicodedata.category(c)[0] == "C" for c in text), "name text")
        found.append((kind, text))
    require(found[:1] == [(COUNTRY, "CN")], "country")
    kinds = [kind for kind, _ in found]
    demo = kinds == [COUNTRY, ORGANISATION, UNIT, COMMON_NAME] and found[2][1] == "演示"
    require(demo or kinds == [COUNTRY, ORGANISATION, COMMON_NAME], "name")
    return encoded, demo


def read_time(members):
    short = members.peek() == der.UTC_TIME
    text = members.take(der.UTC_TIME if short else der.TIME).decode("ascii")
    require(re.fullmatch(r"\d{12}Z" if short else r"\d{14}Z", text), "time")
    full = ("20" if text[:2] < "50" else "19") + text if short else text
    require(short or full >= "2050", "a long time that has a short form")
    moment = datetime.strptime(full, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1000


def read_key(members):
    info = members.inside()
    algorithm = info.inside()
    require((algorithm.take(der.OID).hex(), algorithm.take(der.OID).hex()) == SM2_KEY, "key algorithm")
    algorithm.end()
    bits = info.take(der.BITS)
    info.end()
    require(len(bits) == 66 and bits[:2] == b"\0\4", "public key")
    require(on_curve(number(bits[2:34]), number(bits[34:])), "public key")
    return bits[1:]


def read_extensions(members, allowed):
    found = {}
    while members.more():
        extension = members.inside()
        kind = extension.take(der.OID).hex()
        critical = extension.peek() == der.BOOLEAN and extension.take(der.BOOLEAN) == b"\xff"
        value = extension.take(der.OCTETS)
        extension.end()
        require(kind in allowed and kind not in found and critical == (kind in CRITICAL), "extension")
        found[kind] = value
    return found


def read_algorithm(members):
    algorithm = members.inside()
    require(algorithm.take(der.OID).hex() == SM2_WITH_SM3, "signature algorithm")
    algorithm.end()


def read_signed(encoded, limit):
    """The members of the signed part, its bytes, and r ‖ s."""
    require(len(encoded) <= limit, "too long")
    outer = der.whole(encoded)
    signed = outer.raw(der.SEQUENCE)
    read_algorithm(outer)
    bits = outer.take(der.BITS)
    outer.end()
    require(bits[:1] == b"\0", "signature")
    return der.whole(signed), signed, signature_of_der(bits[1:])


def authority_of(extensions):
    members = der.whole(extensions[AUTHORITY_KEY])
    identifier = members.take(0x80)
    members.end()
    require(len(identifier) == 20, "authority key identifier")
    return identifier


def read_certificate(encoded):
    fields, signed, signature = read_signed(encoded, 2048)
    version = fields.inside(0xA0)
    require(version.number() == 2, "version")
    version.end()
    serial = fields.number()
    require(0 < serial < 2**160, "serial number")
    read_algorithm(fields)
    issuer, _ = read_name(fields)
    validity = fields.inside()
    begins, ends = read_time(validity), read_time(validity)
    validity.end()
    require(begins < ends, "validity")
    subject, demo = read_name(fields)
    key = read_key(fields)
    explicit = fields.inside(0xA3)
    extensions = read_extensions(explicit.inside(), {CONSTRAINTS, USAGE, ALT_NAME, SUBJECT_KEY, AUTHORITY_KEY})
    explicit.end()
    fields.end()
    require({CONSTRAINTS, USAGE, SUBJECT_KEY, AUTHORITY_KEY} <= set(extensions), "an extension is missing")
    subject_id = sm3(key)[:20]
    require(extensions[SUBJECT_KEY] == b"\4\x14" + subject_id, "subject key identifier")
    authority_id, uri = authority_of(extensions), None
    if ALT_NAME in extensions:
        names = der.whole(extensions[ALT_NAME])
        uri = names.take(0x86).decode("ascii")
        names.end()
    is_root = uri is None
    require(is_root == (issuer == subject) == (authority_id == subject_id), "half self-issued")
    role, zone, node, use = read_identity(uri)
    check_role(extensions, role, use)
    return {
        "der": encoded, "signed": signed, "signature": signature, "serial": serial, "issuer": issuer,
        "subject": subject, "demo": demo, "begins": begins, "ends": ends, "key": key, "key_id": sm3(key)[:16].hex(),
        "subject_id": subject_id, "authority_id": authority_id, "role": role, "zone": zone, "node": node, "use": use,
    }  # fmt: skip


def read_identity(uri):
    """(role, zone, node, use)."""
    if uri is None:
        return "root", None, None, None
    if (match := re.fullmatch(f"lightferry://({NAME})/ca", uri)) is not None:
        return "issuer", match[1], None, None
    match = re.fullmatch(f"lightferry://({NAME})/({NAME})/({'|'.join(USES)})", uri)
    require(match is not None, "identity")
    return "node", *match.groups()


def check_role(extensions, role, use):
    """basicConstraints and keyUsage of the table in §14.2, which have one encoding each."""
    constraints = {"root": "30060101ff020101", "issuer": "30060101ff020100", "node": "3000"}
    usage = "03020106" if role != "node" else "03020338" if use == "encrypt" else "030206c0"
    require(extensions[CONSTRAINTS].hex() == constraints[role] and extensions[USAGE].hex() == usage, "role")


def read_list(encoded):
    fields, signed, signature = read_signed(encoded, 256 << 10)
    require(fields.number() == 1, "version")
    read_algorithm(fields)
    issuer, _ = read_name(fields)
    this_update, next_update = read_time(fields), read_time(fields)
    require(this_update < next_update, "times")
    entries, before = {}, 0
    if fields.peek() == der.SEQUENCE:
        rows = fields.inside()
        require(rows.more(), "an empty list of entries")
        while rows.more():
            row = rows.inside()
            serial, revoked, reason = row.number(), read_time(row), "unspecified"
            if row.more():
                value = read_extensions(row.inside(), {CRL_REASON}).get(CRL_REASON, b"")
                require(value[:2] == b"\x0a\1" and len(value) == 3 and value[2] in REASONS, "reason")
                reason = REASONS[value[2]]
            row.end()
            require(before < serial < 2**160, "order of serial numbers")
            entries[serial], before = (revoked, reason), serial
    explicit = fields.inside(0xA0)
    extensions = read_extensions(explicit.inside(), {AUTHORITY_KEY, CRL_NUMBER})
    explicit.end()
    fields.end()
    require(len(extensions) == 2, "an extension is missing")
    numbers = der.Members(extensions[CRL_NUMBER])
    list_number = numbers.number()
    numbers.end()
    return {
        "der": encoded, "signed": signed, "signature": signature, "issuer": issuer, "number": list_number,
        "this_update": this_update, "entries": entries, "authority_id": authority_of(extensions),
    }  # fmt: skip


def is_signed_by(item, issuer):
    """Of a certificate or list: names, key identifiers and signature fit."""
    named = item["issuer"] == issuer["subject"] and item["authority_id"] == issuer["subject_id"]
    return named and verify(issuer["key"], item["signed"], item["signature"])


def is_issued_by(item, issuer):
    may = {
        "root": item["der"] == issuer["der"],
        "issuer": issuer["role"] == "root",
        "node": issuer["role"] == "issuer" and issuer["zone"] == item["zone"],
    }
    return may[item["role"]] and is_signed_by(item, issuer)
