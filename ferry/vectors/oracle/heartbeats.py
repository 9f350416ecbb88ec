"""Guarantee: a session of heartbeats, each accepted or refused with its reason, and the loss account behind it, by the text of ferry/SPEC.md §5."""
from oracle.frame import DATA, HEARTBEAT, write
from oracle.signed import FERRY, LANE, REVOKED, STRANGER, heartbeat, pieces


def session():
    steps = []

    def step(name, outcome, payloads, seqs, epoch=7, k=None, shards=None):
        """The frames of one heartbeat; `seqs` are their numbers."""
        payloads = payloads if isinstance(payloads, list) else [payloads]
        count = len(payloads) if k is None else k
        frames = []
        for part, payload in enumerate(payloads):
            fields = {"type": HEARTBEAT, "epoch": epoch, "shard": shards[part] if shards else part, "k": count,
                      "seq": seqs[part]}
            frames.append(write(fields, payload).hex())
        steps.append({"name": name, "outcome": outcome, "frames": frames})

    def data(epoch, numbers, counts=None, **way):
        fields = {"type": DATA, "epoch": epoch, "objectId": 1, "objectSize": 1, **way}
        frames = [write({**fields, "seq": seq}, b"x").hex() for seq in numbers]
        steps.append({"name": f"frames of epoch {epoch} {way}", "outcome": None, "frames": frames, "counts": counts or {}})

    def beat(change=None, **how):
        return heartbeat(change, **how)

    # Who comes in the middle of an epoch counts from the first frame seen.
    data(7, [10, 11, 12])
    step("unknown key", "unknown-key", beat(key=STRANGER), seqs=[13])
    step("a stranger under our key id", "signature", beat(key=STRANGER, claimed=FERRY), seqs=[14])
    step("revoked key", "refused-key", beat(key=REVOKED), seqs=[15])
    step("signed as a manifest", "signature", beat(label="ferry-manifest/1"), seqs=[16])
    step("of another sender", "sender", beat({"sender": "node-other"}), seqs=[17])
    step("of another version", "sender", beat({"version": 2}), seqs=[18])
    step("of another link", "link", beat({"link": 1}), seqs=[18])
    step("in a frame of another epoch", "malformed", beat({"epoch": 8}), seqs=[19])
    step("without settings", "malformed", beat({"settings": None}), seqs=[19])
    step("no message", "malformed", b"\xff" * 40, seqs=[20])
    step("three certificates", "malformed", beat(certificates=[b"\x30\x00"] * 3), seqs=[21])
    step("first", "accepted", beat({"next_frame": 22}), seqs=[22])
    step("said again", "repeated", beat({"next_frame": 22}), seqs=[23])
    # Of another link or a lane that is not the sender's: these are somebody else's numbers.
    data(7, [26, 28], {"link": 2}, link=1)
    data(7, [26], {"lane": 1}, lane=1)
    # 24 … 29 but 26 and 28; the next heartbeat is the one that settles them.
    data(7, [24, 25, 27, 29])
    step("second", "accepted", beat({"number": 2, "next_frame": 30}), seqs=[30])
    positions = [{"stream": f"{LANE}/node-extranet/normal", "sequence": 3, "under_way": 0},
                 {"stream": "elsewhere/x/normal", "sequence": 9, "under_way": 0},
                 # From 3 on they may still be about to be sent.
                 {"stream": f"{LANE}/node-extranet/bulk", "sequence": 5, "under_way": 3}]
    step("third, two lost", "accepted", beat({"number": 3, "next_frame": 31, "streams": positions}), seqs=[31])
    step("fourth, a gap in a stream", "accepted", beat({"number": 4, "next_frame": 32, "streams": positions}), seqs=[32])
    step("of an older epoch", "old-epoch", beat({"epoch": 6, "number": 99}), epoch=6, seqs=[0])
    long = beat({"number": 5, "next_frame": 33, "streams": positions}, certificates=[bytes(200)] * 2)
    parts = pieces(long, 208)
    assert len(parts) == 4
    step("in parts, turned round", "accepted", [parts[2], parts[0], parts[3], parts[1]], shards=[2, 0, 3, 1], seqs=[33, 34, 35, 36])
    step("a part of another number of parts", "mismatch", [parts[0], parts[1]], k=4, shards=[0, 1], seqs=[37, 38])
    steps[-1]["outcome"] = None
    step("the same set in five", "mismatch", parts[2], k=5, shards=[2], seqs=[39])
    step("no longer than a set id", "short", parts[2][:8], k=4, shards=[2], seqs=[40])
    # A new epoch is counted from its frame 0, whose frames may come before its first heartbeat.
    data(8, [0, 1, 3])
    step("a new epoch", "accepted", beat({"epoch": 8, "next_frame": 5}), epoch=8, seqs=[5])
    step("its second", "accepted", beat({"epoch": 8, "number": 2, "next_frame": 6}), epoch=8, seqs=[6])
    step("of the epoch before", "old-epoch", beat({"number": 6, "next_frame": 40}), seqs=[41])
    # Lost in epoch 7: 26 and 28; in epoch 8: 2 and 4. Epoch 7 was settled to the mark of its fourth heartbeat, 32, from 10 on.
    return {"steps": steps, "epoch": 8, "lost": 4, "settled": 22 + 5, "gaps": [{"stream": positions[0]["stream"], "missing": "1-3", "count": 3},
                     {"stream": positions[2]["stream"], "missing": "1-2", "count": 2}]}
