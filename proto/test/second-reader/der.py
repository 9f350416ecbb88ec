"""Guarantee: reading DER strictly: one tag, the shortest length, nothing behind the last value; ValueError for anything else."""

BOOLEAN, INTEGER, BITS, OCTETS, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x06, 0x0A
UTF8, PRINTABLE, UTC_TIME, TIME, SEQUENCE, SET = 0x0C, 0x13, 0x17, 0x18, 0x30, 0x31


def require(holds, what):
    if not holds:
        raise ValueError(what)


def element(data, at=0):
    """(tag, content, all bytes of the element, where it ends)."""
    require(at + 2 <= len(data), "cut short")
    tag, length, start = data[at], data[at + 1], at + 2
    require(tag & 0x1F != 0x1F, "a tag of several bytes")
    if length >= 0x80:
        count = length - 0x80
        require(1 <= count <= 3 and start + count <= len(data), "a length that is none here")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
        require(length >= (0x80 if count == 1 else 1 << 8 * (count - 1)), "a length that is not the shortest")
    require(start + length <= len(data), "cut short")
    return tag, data[start : start + length], data[at : start + length], start + length


class Members:
    """The members of a constructed value, taken one after the other."""

    def __init__(self, content):
        self.data, self.at = content, 0

    def more(self):
        return self.at < len(self.data)

    def peek(self):
        return self.data[self.at] if self.more() else None

    def raw(self, tag):
        """The whole element."""
        found, _, whole, self.at = element(self.data, self.at)
        require(found == tag, "another tag")
        return whole

    def take(self, tag):
        """The content of the next element."""
        return element(self.raw(tag))[1]

    def inside(self, tag=SEQUENCE):
        return Members(self.take(tag))

    def number(self):
        content = self.take(INTEGER)
        require(content and content[0] < 0x80, "a negative number")
        require(len(content) == 1 or content[0] or content[1] >= 0x80, "a number that is not the shortest")
        return int.from_bytes(content, "big")

    def end(self):
        require(not self.more(), "more than there may be")


def whole(data, tag=SEQUENCE):
    """The members of the one element that the data are."""
    members = Members(data)
    inner = members.inside(tag)
    members.end()
    return inner
