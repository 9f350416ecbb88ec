"""Guarantee: check_verdict() makes the checks of SPEC.md §7.2 and §7.3, in their order."""

from header import CLOCK_DIFFERENCE_MS, GRADES, ascending, require
from sm2 import verify
from sm3 import ds, leaf_hash, root_from_path
from wire import Malformed, canonical, decode, encode

MAX_VERDICT, MAX_BATCH = 8192, 1024
EXPORT, PERMIT = 1, 1


def check_proof(item, batch):
    """§7.2 step 1."""
    require(1 <= len(item["verdict"]) <= MAX_VERDICT, "verdict.malformed", "length")
    require(1 <= batch["size"] <= MAX_BATCH and item["leaf"] < batch["size"], "verdict.path-invalid", "leaf")
    root = root_from_path(leaf_hash(item["verdict"]), item["leaf"], batch["size"], item["path"])
    require(root == batch["root"], "verdict.path-invalid")


def check_batch_signature(batch, key):
    """§7.2 step 2: over the batch without its signature."""
    signed = encode("VerdictBatch", {**batch, "signature": b""})
    require(verify(key, ds("verdict-batch/1", signed), batch["signature"]), "verdict.signature-invalid")


def read_verdict(encoded):
    """§7.2 step 3."""
    try:
        v = decode("Verdict", encoded)
    except Malformed as cause:
        require(False, "verdict.malformed", str(cause))
    require(canonical("Verdict", encoded, v), "verdict.malformed", "not canonical")
    require(len(v["verdict_id"]) == 16 and len(v["commitment"]) == 32, "verdict.malformed", "id or commitment")
    require(v["recipients"] and ascending(v["recipients"]), "verdict.malformed", "recipients")
    require(v["grade"] in GRADES, "verdict.malformed", "grade")
    require(0 < v["decided_ms"] < v["expires_ms"] < 2**53, "verdict.malformed", "times")
    return v


def check_use(v, header, item):
    """§7.3, the time of use being created_ms."""
    require(v["decision"] == PERMIT, "verdict.not-permit")
    require(v["direction"] == EXPORT, "verdict.wrong-direction")
    require(v["commitment"] == item["commitment"], "verdict.wrong-item")
    require(v["lane"] == header["lane"], "verdict.wrong-lane")
    require(v["sender"] == header["sender"], "verdict.wrong-sender")
    recipients = {r["node_id"] for r in header["recipients"]}
    require(recipients <= set(v["recipients"]), "verdict.wrong-recipient")
    require(v["decided_ms"] <= header["created_ms"] + CLOCK_DIFFERENCE_MS, "verdict.not-yet-valid")
    require(header["created_ms"] < v["expires_ms"], "verdict.expired")


def check_verdict(header, item, policy_key):
    """The verdict of one item, checked; policy_key(node, key id, header) is a public key or None."""
    batch = header["verdict_batches"][item["batch"]]
    require(batch["policy_node"] == header["sender"], "verdict.unknown-policy-key", "another node")
    key = policy_key(batch["policy_node"], batch["key_id"], header)
    require(key is not None, "verdict.unknown-policy-key")
    check_proof(item, batch)
    check_batch_signature(batch, key)
    verdict = read_verdict(item["verdict"])
    check_use(verdict, header, item)
    return verdict
