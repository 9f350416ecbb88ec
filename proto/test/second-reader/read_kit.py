#!/usr/bin/env python3
"""Guarantee: reads every vector of the bundle kit by SPEC.md alone and says, one JSON line each, what it found; status 1 where that is not what the vector expects.

Use: python3 read_kit.py <folder of vectors or single vectors>...   Standard library only. For tests: keys are not protected in any way.
"""

import base64
import json
import pathlib
import sys

from header import Refused, read_header
from opening import open_bundle
from origin import Context, verify_header

KEYS = pathlib.Path(__file__).parents[2] / "vectors" / "keys.json"


def read_vector(vector, parties):
    """{"code": …} where the bundle is refused, else {"items": [{"content": base64} or {"code": …}]}."""
    at, sender, policy = vector["context"], parties["sender"], parties["policy"]

    def key_of(party, registered=True):
        return lambda node, key_id: (
            bytes.fromhex(party["publicKey"])
            if registered and (node, key_id) == (party["nodeId"], party["keyId"])
            else None
        )

    context = Context(
        at["now"], at["lane"], at["sender"], at["self"], key_of(sender, at["signKeyRegistered"]), key_of(policy)
    )
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


def main(places):
    parties = json.loads(KEYS.read_text("utf-8"))["parties"]
    files = [f for p in map(pathlib.Path, places) for f in (sorted(p.glob("*.json")) if p.is_dir() else [p])]
    wrong = 0
    for file in files:
        vector = json.loads(file.read_text("utf-8"))
        found = read_vector(vector, parties)
        agrees = found == vector.get("expect", found)
        wrong += not agrees
        print(json.dumps({"name": vector["name"], **found, **({} if agrees else {"expected": vector["expect"]})}))
    return 0 if files and wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
