/** Submits one record and shows what became of it. Node 22.18 or later, no dependencies:
 *  LIGHTFERRY_TOKEN=lft_… NODE_EXTRA_CA_CERTS=ca.pem node submit.ts https://127.0.0.1:7101 */
const api = process.argv[2] ?? "https://127.0.0.1:7101";
const authorization = `Bearer ${process.env.LIGHTFERRY_TOKEN}`;
const headers = { "content-type": "application/json", "idempotency-key": "order-2026-0001" };
const to = { lane: "inbound", service: "land-registration", grade: "G2" };
const http = { method: "POST", path: "/records", body: { parcel: "330106-001" } };
const order = { method: "POST", headers: { authorization, ...headers } };
const body = JSON.stringify({ ...to, ...http });
const receipt = await (await fetch(`${api}/v1/requests`, { ...order, body })).json();
const { statusUrl } = receipt as { statusUrl?: string };
const fate = statusUrl && (await fetch(api + statusUrl, { headers: { authorization } })).json();
console.log(receipt, await fate);
