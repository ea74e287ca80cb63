// Adds an owner and the provisioning key to a new n8n. It prints the key and a new seed as lines for
// keys.env. provision.sh runs it in the n8n container, because n8n has no port outside.
//
// It makes the calls of n8n's user interface. The same by hand: open the editor, add the owner, and
// make an API key under Settings, n8n API. The gate makes the users and keys of the applications.

import { randomBytes } from "node:crypto";

const base = process.env.N8N_BASE ?? "http://127.0.0.1:5678";

const owner = await session("/rest/owner/setup", {
  email: needed("N8N_OWNER_EMAIL"),
  firstName: "The",
  lastName: "Owner",
  password: needed("N8N_OWNER_PASSWORD"),
});
const scopes = ["user:create", "user:read"];
const key = await post("/rest/api-keys", { label: "n8n-idp-gate", scopes, expiresAt: null }, owner);

const lines = [
  {
    variable: "N8N_PROVISIONING_KEY",
    value: key.rawApiKey,
  },
  {
    // The passwords of all users that the gate makes follow from it. Keep a copy.
    variable: "N8N_GATE_SEED",
    value: randomBytes(32).toString("hex"),
  },
];
for (const { variable, value } of lines) console.log(`${variable}=${value}`);

/** Posts, and returns the cookie of the session that n8n opens. */
async function session(path, body) {
  const answer = await send(path, body);
  const cookie = answer.headers.getSetCookie().find((cookie) => cookie.startsWith("n8n-auth="));
  if (!cookie) throw new Error(`${path} opened no session`);
  return cookie.split(";")[0];
}

async function post(path, body, cookie) {
  const answer = await send(path, body, cookie);
  return (await answer.json()).data;
}

async function send(path, body, cookie) {
  const headers = { "content-type": "application/json", ...(cookie && { cookie }) };
  const answer = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
  return answer;
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
