"""Guarantee: verify_header() makes the checks of SPEC.md §8.2, in their order, without any decryption key."""

from header import CLOCK_DIFFERENCE_MS, GRADES, require
from sm2 import verify
from sm3 import ds, root_over
from verdict import check_verdict


class Context:
    """What a reader knows: the time, the lane the bundle came by, the node registered for it, itself, and the keys of others.

    sign_key, policy_key: (node, key id, header) -> public key or None; for a key that is known and must not be used, Refused.
    lifetime_ms: the lane's expiry as the registry has it, where that is known."""

    def __init__(self, now, lane, sender, self_node, sign_key, policy_key, lifetime_ms=None):
        self.now, self.lane, self.sender, self.self_node = now, lane, sender, self_node
        self.sign_key, self.policy_key, self.lifetime_ms = sign_key, policy_key, lifetime_ms


def verify_header(bundle, context):
    """The verdicts, one for each item."""
    h = bundle.header
    require(h["lane"] == context.lane, "bundle.wrong-lane")
    require(h["sender"] == context.sender, "bundle.wrong-sender")
    key = context.sign_key(h["sender"], h["sign_key_id"], h)
    require(key is not None, "bundle.unknown-sign-key")
    require(verify(key, ds("bundle-header/1", bundle.encoded), bundle.signature), "bundle.signature-invalid")
    require(root_over(bundle.table) == h["ciphertext_root"], "bundle.table-mismatch")
    commitments = [item["commitment"] for item in h["items"]]
    require(root_over(commitments) == h["item_root"], "bundle.item-root-mismatch")
    require(len(set(commitments)) == len(commitments), "bundle.duplicate-item", "commitment")
    verdicts = [check_verdict(h, item, context.policy_key) for item in h["items"]]
    require(len({v["verdict_id"] for v in verdicts}) == len(verdicts), "verdict.reused")
    highest = max(GRADES.index(v["grade"]) for v in verdicts)
    require(h["grade"] == GRADES[highest], "bundle.grade-mismatch")
    require(h["created_ms"] <= context.now + CLOCK_DIFFERENCE_MS, "bundle.from-future")
    require(context.now < h["expires_ms"], "bundle.expired")
    if context.lifetime_ms is not None:
        lives = h["expires_ms"] - h["created_ms"]
        require(lives <= context.lifetime_ms + CLOCK_DIFFERENCE_MS, "bundle.lifetime-too-long")
    require(context.self_node in [r["node_id"] for r in h["recipients"]], "bundle.wrong-recipient")
    return verdicts
