#!/usr/bin/env python3
"""Guarantee: reads every vector of bundle/ and certificates/ by SPEC.md alone and says, one JSON line each, what it found; status 1 where that is not what the vector expects.

Use: python3 read_kit.py <folder of vectors or single vectors>...   Standard library only. For tests: keys are not protected in any way.
"""

import base64
import json
import pathlib
import sys

from header import Refused, read_header
from opening import open_bundle
from origin import Context, verify_header
from trust import Trust

VECTORS = pathlib.Path(__file__).parents[2] / "vectors"


def read_vector(vector, parties):
    """{"code": …} where the bundle is refused, else {"items": [{"content": base64} or {"code": …}]}."""
    at, sender, policy = vector["context"], parties["sender"], parties["policy"]

    def key_of(party, registered=True):
        return lambda node, key_id, header: (
            bytes.fromhex(party["publicKey"])
            if registered and (node, key_id) == (party["nodeId"], party["keyId"])
            else None
        )

    keys = key_of(sender, at["signKeyRegistered"]), key_of(policy)
    context = Context(at["now"], at["lane"], at["sender"], at["self"], *keys, at.get("lifetimeMs"))
    opener = parties[at["decryptKey"]]
    try:
        bundle = read_header(base64.b64decode(vector["bundle"]))
        verdicts = verify_header(bundle, context)
        items = open_bundle(bundle, verdicts, {opener["keyId"]: int(opener["privateKey"], 16)})
    except Refused as refusal:
        return {"code": refusal.code}
    return {
        "items": [
            {"code": item.code} if isinstance(item, Refused) else {"content": base64.b64encode(item).decode()}
            for item in items
        ]
    }


def pki_item(name):
    """DER of an item of pki/."""
    lines = (VECTORS / "pki" / f"{name}.pem").read_text("ascii").splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-----")))


def trust_of(at):
    known, lists = map(pki_item, at["known"]), map(pki_item, at["lists"])
    return Trust(pki_item(at["root"]), known, lists, at.get("denied", []), at.get("zones", {}), at["mode"])


def read_certificate_vector(vector):
    at, trust = vector["context"], trust_of(vector["context"])

    def key_for(use):
        return lambda node, key_id, h: trust.key(use, node, key_id, h["certificates"], h["created_ms"])

    context = Context(at["now"], at["lane"], at["sender"], at["self"], key_for("sign"), key_for("policy"))
    try:
        verify_header(read_header(base64.b64decode(vector["bundle"])), context)
    except Refused as refusal:
        return {"code": refusal.code}
    return "accepted"


def read_imports(vector):
    trust, said = trust_of(vector["context"]), []
    for expected in vector["imports"]:
        item = base64.b64decode(expected["der"]) if "der" in expected else pki_item(expected["item"])
        status, code = trust.judge(item, vector["context"]["now"])
        named = {field: expected[field] for field in ("item", "der") if field in expected}
        said.append({**named, "status": status, **({"code": code} if code else {})})
    return said


def read_any(vector, parties):
    """What was found, and what the vector expects."""
    if "imports" in vector:
        found = read_imports(vector)
        return {"imports": found}, found, vector["imports"]
    if "root" in vector["context"]:
        found = read_certificate_vector(vector)
        return found if isinstance(found, dict) else {"verified": found}, found, vector["expect"]
    found = read_vector(vector, parties)
    return found, found, vector.get("expect", found)


def main(places):
    parties = json.loads((VECTORS / "keys.json").read_text("utf-8"))["parties"]
    files = [f for p in map(pathlib.Path, places) for f in (sorted(p.glob("*.json")) if p.is_dir() else [p])]
    wrong = 0
    for file in files:
        vector = json.loads(file.read_text("utf-8"))
        line, found, expected = read_any(vector, parties)
        wrong += found != expected
        told = {} if found == expected else {"expected": expected}
        print(json.dumps({"name": vector["name"], **line, **told}))
    return 0 if files and wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
