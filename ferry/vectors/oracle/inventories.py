"""Guarantee: pages of an inventory that count and pages that do not, each with its reason, by the text of ferry/SPEC.md §9."""
from oracle.frame import INVENTORY, write
from oracle.signed import FERRY, LANE, REVOKED, STRANGER, heartbeat, inventory, pieces

EPOCH = 7
STREAM = f"{LANE}/node-extranet/normal"
LONGEST = f"{LANE}/{'n' * (191 - len(LANE) - 1)}"


def streams(*ranges, name=STREAM):
    return {"stream": name, "ranges": [{"first": first, "last": last} for first, last in ranges]}


def case(reason, name, message, epoch=EPOCH, room=1_408):
    parts = pieces(message, room)
    fields = {"type": INVENTORY, "epoch": epoch, "k": len(parts)}
    frames = [write({**fields, "shard": shard, "seq": shard}, part).hex() for shard, part in enumerate(parts)]
    return {"reason": reason, "name": name, "frames": frames}


def cases():
    full = {"held": [streams((1, 4), (6, 6), (9, 2**40))], "given_up": [streams((5, 5))]}
    yield case(None, "nothing at all", inventory())
    yield case(None, "held and given up", inventory(full))
    yield case(None, "in parts", inventory(full), room=208)
    yield case(None, "the longest name, the longest delay", inventory({"held": [streams((1, 1), name=LONGEST)], "pass_delay_ms": 86_400_000}))
    yield case(None, "ranges that touch", inventory({"held": [streams((1, 1), (2, 2))]}))
    yield case("version", "another version", inventory({"version": 2}))
    yield case("sender", "another sender", inventory({"sender": "node-other"}))
    yield case("lane", "another lane", inventory({"lane": "outbound"}))
    yield case("epoch", "in a frame of another epoch", inventory({"epoch": 8}))
    yield case("epoch", "of an epoch that no heartbeat has told of", inventory({"epoch": 8}), epoch=8)
    yield case("numbers", "numbered 0", inventory({"number": 0}))
    yield case("numbers", "a delay of more than a day", inventory({"pass_delay_ms": 86_400_001}))
    for name, held in [
        ("a stream of another lane", [streams((1, 1), name="outbound/n/normal")]),
        ("a name too long", [streams((1, 1), name=LONGEST + "n")]),
        ("a stream twice", [streams((1, 1)), streams((3, 3))]),
        ("no ranges", [streams()]),
        ("the number 0", [streams((0, 1))]),
        ("an end before its beginning", [streams((3, 2))]),
        ("ranges that overlap", [streams((1, 3), (3, 4))]),
        ("ranges out of order", [streams((5, 6), (1, 2))]),
        ("65 streams", [streams((1, 1), name=f"{LANE}/{n}/normal") for n in range(65)]),
    ]:
        yield case("streams", name, inventory({"held": held}))
        yield case("streams", f"given up: {name}", inventory({"given_up": held}))
    yield case("unknown-key", "key of a stranger", inventory(key=STRANGER))
    yield case("signature", "a stranger under our key id", inventory(key=STRANGER, claimed=FERRY))
    yield case("refused-key", "a revoked key", inventory(key=REVOKED))
    yield case("signature", "signed as a heartbeat", inventory(label="ferry-heartbeat/1"))
    yield case("malformed", "with a certificate", inventory(certificates=[b"\x30\x00"]))
    yield case("malformed", "a heartbeat", heartbeat({"streams": [], "settings": None}))
