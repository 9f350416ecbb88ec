#!/bin/sh
# Submits a request, uploads a file, and asks what became of them.
#   LIGHTFERRY_TOKEN=lft_... CA=ca.pem sh submit.sh https://127.0.0.1:7101
set -eu
api=${1:-https://127.0.0.1:7101}
call() { curl --silent --show-error --cacert "$CA" --header "Authorization: Bearer $LIGHTFERRY_TOKEN" "$@"; echo; }

call --json '{"lane":"inbound","service":"land-registration","grade":"G2","method":"POST","path":"/records","body":{"parcel":"330106-001"}}' \
  --header 'Idempotency-Key: order-2026-0001' "$api/v1/requests"
call --data-binary @"$0" --header 'Content-Type: text/plain' \
  "$api/v1/files?lane=inbound&service=documents&grade=G1&filename=submit.txt"
call "$api/v1/exchanges?limit=5"
