"""Guarantee: decode() reads protobuf as SPEC.md §2 says; canonical() says whether bytes are a message's one encoding."""

from schema import MESSAGES

VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = range(6)
BITS = {"uint32": 32, "uint64": 64, "enum": 32}
DEFAULTS = {"uint32": 0, "uint64": 0, "enum": 0, "string": "", "bytes": b""}
MAX_DEPTH = 100


class Malformed(Exception):
    """The bytes are no protobuf message at all."""


def read_varint(data, at, limit=2**70, longest=10):
    value = shift = 0
    while True:
        if at >= len(data) or shift == 7 * longest:
            raise Malformed("a varint without end")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            break
        shift += 7
    if value >= limit:
        raise Malformed("a tag or length out of range")
    return value, at


def read_tag(data, at):
    tag, at = read_varint(data, at, 2**32, 5)
    if tag >> 3 == 0:
        raise Malformed("no such field number")
    return tag >> 3, tag & 7, at


def read_raw(data, at, wire_type, number, depth):
    """One value of a wire type: what it is, and where it ends."""
    if wire_type == VARINT:
        return read_varint(data, at)
    if wire_type == GROUP:
        return None, skip_group(data, at, number, depth)
    if wire_type == BYTES:
        length, at = read_varint(data, at, 2**31, 5)
    elif wire_type in (FIXED64, FIXED32):
        length = 8 if wire_type == FIXED64 else 4
    else:
        raise Malformed("no such wire type")
    if length > len(data) - at:
        raise Malformed("a field ends after the message")
    return data[at : at + length], at + length


def skip_group(data, at, number, depth):
    if depth > MAX_DEPTH:
        raise Malformed("groups too deep")
    while True:
        inner, wire_type, at = read_tag(data, at)
        if wire_type == GROUP_END:
            if inner != number:
                raise Malformed("a group ends that did not begin")
            return at
        _, at = read_raw(data, at, wire_type, inner, depth + 1)


def signed(value):
    """An enum is a signed number of 32 bits."""
    return value - 2**32 if value >= 2**31 else value


def typed(kind, value, depth):
    if kind in BITS:
        value &= (1 << BITS[kind]) - 1
        return signed(value) if kind == "enum" else value
    if kind == "string":
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise Malformed("not UTF-8") from cause
    return decode(kind, value, depth + 1) if kind in MESSAGES else value


def decode(name, data, depth=0):
    """A dict with every field of the message; what the schema does not know is passed over (canonical() finds it)."""
    fields = MESSAGES[name]
    message = {
        field: [] if repeated else None if kind in MESSAGES else DEFAULTS[kind]
        for field, kind, repeated in fields.values()
    }
    at = 0
    while at < len(data):
        number, wire_type, at = read_tag(data, at)
        value, at = read_raw(data, at, wire_type, number, depth)
        field, kind, repeated = fields.get(number, (None, None, False))
        if field is None or wire_type != (VARINT if kind in BITS else BYTES):
            continue
        value = typed(kind, value, depth)
        if repeated:
            message[field].append(value)
        else:
            message[field] = value
    return message


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_value(number, kind, value):
    if kind in BITS:
        return varint(number << 3 | VARINT) + varint(value % 2**64)
    if kind == "string":
        value = value.encode("utf-8")
    elif kind in MESSAGES:
        value = encode(kind, value)
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def encode(name, message):
    """The canonical encoding: ascending numbers, defaults left out, an embedded message that is present written even if empty."""
    out = []
    for number, (field, kind, repeated) in sorted(MESSAGES[name].items()):
        value = message[field]
        if repeated:
            out += [encode_value(number, kind, element) for element in value]
        elif kind in MESSAGES:
            out += [] if value is None else [encode_value(number, kind, value)]
        elif value != DEFAULTS[kind]:
            out.append(encode_value(number, kind, value))
    return b"".join(out)


def canonical(name, data, message):
    return encode(name, message) == data
