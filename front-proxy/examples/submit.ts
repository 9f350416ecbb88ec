/** Submits one record and shows what became of it. Node 22 or later, no dependencies:
 *  LIGHTFERRY_TOKEN=lft_… NODE_EXTRA_CA_CERTS=ca.pem node submit.ts https://127.0.0.1:7101 */
const api = process.argv[2] ?? "https://127.0.0.1:7101";
const headers = { authorization: `Bearer ${process.env.LIGHTFERRY_TOKEN}` };
const to = { lane: "inbound", service: "land-registration", grade: "G2" };
const request = { method: "POST", path: "/records", body: { parcel: "330106-001" } };
const answer = await fetch(`${api}/v1/requests`, {
  method: "POST",
  headers: { ...headers, "content-type": "application/json", "idempotency-key": "order-0001" },
  body: JSON.stringify({ ...to, ...request }),
});
const fate = (await answer.json()) as { exchangeId?: string; state?: string; code?: string };
console.log(answer.status, fate.state ?? fate.code);
if (fate.exchangeId) {
  console.log(await (await fetch(`${api}/v1/exchanges/${fate.exchangeId}`, { headers })).json());
}
