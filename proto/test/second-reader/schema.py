"""Guarantee: the messages of bundle.proto and policy.proto that a reader needs: field number -> (name, kind, repeated)."""


def message(*fields):
    """Each field as "number name kind", a repeated one with an asterisk; kinds: uint32, uint64, enum, string, bytes or another message."""
    out = {}
    for field in fields:
        number, name, kind = field.split()
        out[int(number)] = (name, kind.rstrip("*"), kind.endswith("*"))
    return out


MESSAGES = {
    "Header": message(
        "1 version uint32", "2 bundle_id bytes", "3 lane string", "4 stream string", "5 sequence uint64",
        "6 previous_digest bytes", "7 sender string", "8 sign_key_id string", "9 created_ms uint64", "10 expires_ms uint64",
        "11 grade string", "12 chunk_size uint32", "13 chunk_count uint32", "14 plaintext_size uint64", "15 ciphertext_root bytes",
        "16 item_root bytes", "17 recipients Recipient*", "18 key_commitment bytes",
        "19 verdict_batches VerdictBatch*", "20 items ItemRecord*", "21 policy_version string",
        "22 checkpoint Checkpoint", "23 certificates bytes*",
    ),
    "Recipient": message("1 node_id string", "2 key_id string", "3 wrapped_secret bytes"),
    "VerdictBatch": message("1 policy_node string", "2 key_id string", "3 root bytes", "4 size uint32", "5 signature bytes"),
    "ItemRecord": message("1 commitment bytes", "2 verdict bytes", "3 batch uint32", "4 leaf uint32", "5 path bytes*"),
    "Checkpoint": message("1 note bytes", "2 old_size uint64", "3 consistency bytes*"),
    "Manifest": message("1 items ManifestItem*", "2 trust bytes*"),
    "ManifestItem": message("1 salt bytes", "2 entry bytes", "3 trail bytes*"),
    "ManifestEntry": message(
        "1 exchange_id bytes", "2 kind string", "3 service string", "4 caller string", "5 grant string", "6 grade string",
        "7 purpose string", "8 http HttpRequest", "9 file FileInfo", "10 size uint64", "11 digest bytes",
        "12 submitted_ms uint64", "13 ordering_key string",
    ),
    "HttpRequest": message("1 method string", "2 path string", "3 headers HttpHeader*"),
    "HttpHeader": message("1 name string", "2 value string"),
    "FileInfo": message("1 name string", "2 content_type string"),
    "Verdict": message(
        "1 verdict_id bytes", "2 direction enum", "3 decision enum", "4 commitment bytes", "5 lane string",
        "6 sender string", "7 recipients string*", "8 grade string", "9 decided_ms uint64", "10 expires_ms uint64",
        "11 policy_version string", "12 rule_ids string*", "13 obligations string*",
    ),
}
