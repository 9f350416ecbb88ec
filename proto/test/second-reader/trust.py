"""Guarantee: Trust says of a key what SPEC.md §14.4 says, and of an item to import what §14.3 and §14.4 say of it by itself."""

from certificate import is_issued_by, is_signed_by, read_certificate, read_list
from header import CLOCK_DIFFERENCE_MS, Refused

COMPROMISE = ("keyCompromise", "cACompromise")
GRAVITY = [
    "certificate.denied", "certificate.revoked", "certificate.wrong-zone", "certificate.wrong-use",
    "certificate.untrusted", "certificate.demo-in-production", "certificate.expired", "certificate.not-yet-valid",
]  # fmt: skip


def gravest(faults):
    """None where there is none."""
    return min((fault for fault in faults if fault is not None), key=GRAVITY.index, default=None)


def readable(items):
    """Those of the presented items that are certificates at all."""
    found = []
    for item in items:
        try:
            found.append(read_certificate(item))
        except ValueError:
            pass
    return found


class Trust:
    """certificates, lists: DER; denied: key ids; zones: node -> zone, of the registry."""

    def __init__(self, root, certificates, lists, denied, zones, mode):
        self.root, self.denied, self.zones, self.mode = read_certificate(root), set(denied), zones, mode
        self.authorities, self.nodes, self.lists = [self.root], [], {}
        known = readable(certificates)
        for c in known:
            if c["role"] == "issuer" and not self.chain_fault(c, self.authorities):
                self.authorities.append(c)
        self.nodes = [c for c in known if c["role"] == "node" and not self.chain_fault(c, self.authorities)]
        for item in lists:
            if self.judge_list(item)[0] == "new":
                taken = read_list(item)
                self.lists[taken["authority_id"]] = taken
        revoked = [(c["key_id"], self.entry(c)) for c in self.authorities + self.nodes]
        self.compromised = {key_id for key_id, entry in revoked if entry and entry[1] in COMPROMISE}

    def issuers(self, c, authorities):
        return [a for a in authorities if a["demo"] == c["demo"] and is_issued_by(c, a)]

    def chain_fault(self, c, authorities):
        if c["demo"] and self.mode == "production":
            return "certificate.demo-in-production"
        if self.issuers(c, authorities):
            return None
        others = [a for a in authorities if a["role"] == "issuer" and a["zone"] != c["zone"]]
        foreign = c["role"] == "node" and any(is_signed_by(c, a) for a in others)
        return "certificate.wrong-zone" if foreign else "certificate.untrusted"

    def entry(self, c):
        """(time, reason) on the list of its CA."""
        own = self.lists.get(c["authority_id"])
        return own["entries"].get(c["serial"]) if own else None

    def revocation_fault(self, c, used):
        if c["key_id"] in self.denied:
            return "certificate.denied"
        entry = self.entry(c)
        revoked = entry and (entry[1] in COMPROMISE or used >= entry[0])
        return "certificate.revoked" if revoked or c["key_id"] in self.compromised else None

    def use_fault(self, c, authorities, used):
        early, late = used < c["begins"], used >= c["ends"]
        period = "certificate.not-yet-valid" if early else "certificate.expired" if late else None
        own = gravest([self.revocation_fault(c, used), period])
        if c["role"] == "root":
            return own
        above = [self.use_fault(issuer, authorities, used) for issuer in self.issuers(c, authorities)]
        if not above:
            return gravest([own, self.chain_fault(c, authorities)])
        return own if None in above else gravest([own, *above])

    def identity_fault(self, c, use, node):
        if (c["node"], c["use"]) != (node, use):
            return "certificate.wrong-use"
        return None if self.zones.get(node) == c["zone"] else "certificate.wrong-zone"

    def key(self, use, node, key_id, presented, used):
        """The public key; None where it is unknown; Refused with certificate.*"""
        if key_id in self.denied:
            raise Refused("certificate.denied")
        shown = readable(presented)
        issued = [c for c in shown if c["role"] == "issuer" and self.issuers(c, [self.root])]
        known = [c for c in self.authorities + self.nodes if c["key_id"] == key_id]
        named = [c for c in shown if c["key_id"] == key_id and any(is_signed_by(c, a) for a in self.authorities + issued)]
        faults = []
        for candidates, authorities in (
            (known, self.authorities),
            (named, self.authorities + issued),
        ):
            for c in candidates:
                fault = gravest([self.identity_fault(c, use, node), self.use_fault(c, authorities, used)])
                if fault is None:
                    return c["key"]
                faults.append(fault)
        fault = gravest(faults)
        if fault is None or (not known and fault == "certificate.untrusted"):
            return None
        raise Refused(fault)

    def judge(self, item, now):
        """(status, code) of an item that is to be imported."""
        try:
            c = read_certificate(item)
        except ValueError:
            return self.judge_list(item, now)
        if item in [known["der"] for known in self.authorities + self.nodes]:
            return "known", None
        fault = self.chain_fault(c, self.authorities)
        return ("refused", fault) if fault else ("new", None)

    def judge_list(self, item, now=None):
        try:
            given = read_list(item)
        except ValueError:
            return "refused", "certificate.malformed"
        if not any(is_signed_by(given, a) for a in self.authorities):
            return "refused", "certificate.untrusted"
        have = self.lists.get(given["authority_id"])
        if have and have["der"] == item:
            return "known", None
        if have and have["number"] == given["number"]:
            return "refused", "trust.list-conflict"
        if have and have["number"] > given["number"]:
            return "stale", "trust.stale"
        if now is not None and given["this_update"] > now + CLOCK_DIFFERENCE_MS:
            return "refused", "trust.list-from-future"
        return "new", None
