// Adds an owner and the provisioning key to a new n8n. It prints the key and a new seed as lines for
// keys.env. provision.sh runs it in the n8n container, because n8n has no port outside.
//
//   provision.mjs           as above
//   provision.mjs rotate    a new key beside the old one, and the seed as it is
//   provision.mjs retire    deletes all keys of that label but the newest
//
// It makes the calls of n8n's user interface. The same by hand: open the editor, add the owner, and
// make an API key under Settings, n8n API. The gate makes the users and keys of the applications.

import { randomBytes } from "node:crypto";

const base = process.env.N8N_BASE ?? "http://127.0.0.1:5678";
const label = "n8n-idp-gate";
const email = needed("N8N_OWNER_EMAIL");
const password = needed("N8N_OWNER_PASSWORD");

const command = process.argv[2] ?? "set-up";
if (command === "set-up") {
  const owner = await session("/rest/owner/setup", { email, firstName: "The", lastName: "Owner", password });
  // The passwords of all users that the gate makes follow from the seed. Keep a copy.
  print(await makeKey(owner, label), randomBytes(32).toString("hex"));
} else if (command === "rotate") {
  const seed = needed("N8N_GATE_SEED");
  const owner = await session("/rest/login", { emailOrLdapLoginId: email, password });
  // n8n wants another label for each key of a user.
  print(await makeKey(owner, `${label} ${new Date().toISOString()}`), seed);
} else if (command === "retire") {
  const owner = await session("/rest/login", { emailOrLdapLoginId: email, password });
  await retire(owner);
} else {
  throw new Error(`there is no command ${command}`);
}

async function makeKey(owner, label) {
  const scopes = ["user:create", "user:read"];
  return (await post("/rest/api-keys", { label, scopes, expiresAt: null }, owner)).rawApiKey;
}

function print(key, seed) {
  const lines = [
    {
      variable: "N8N_PROVISIONING_KEY",
      value: key,
    },
    {
      variable: "N8N_GATE_SEED",
      value: seed,
    },
  ];
  for (const { variable, value } of lines) console.log(`${variable}=${value}`);
}

async function retire(owner) {
  const list = (await (await send("GET", "/rest/api-keys", undefined, owner)).json()).data;
  const keys = (Array.isArray(list) ? list : list.items).filter((key) => key.label.split(" ")[0] === label);
  keys.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  for (const { id } of keys.slice(1)) await send("DELETE", `/rest/api-keys/${id}`, undefined, owner);
}

/** Posts, and returns the cookie of the session that n8n opens. */
async function session(path, body) {
  const answer = await send("POST", path, body);
  const cookie = answer.headers.getSetCookie().find((cookie) => cookie.startsWith("n8n-auth="));
  if (!cookie) throw new Error(`${path} opened no session`);
  return cookie.split(";")[0];
}

async function post(path, body, cookie) {
  const answer = await send("POST", path, body, cookie);
  return (await answer.json()).data;
}

async function send(method, path, body, cookie) {
  const headers = { "content-type": "application/json", ...(cookie && { cookie }) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
  return answer;
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
