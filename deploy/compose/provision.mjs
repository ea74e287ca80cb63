// Adds an owner, and a user with an API key for each of the two applications, to a new n8n. It
// prints the keys as lines for keys.env. provision.sh runs it in the n8n container, because n8n has
// no port outside.
//
// It makes the calls of n8n's user interface. The same by hand: open the editor, invite one user
// for each application, log in as each, and make an API key under Settings, n8n API.

import { randomBytes } from "node:crypto";

const base = process.env.N8N_BASE ?? "http://127.0.0.1:5678";

const applications = [
  {
    variable: "N8N_KEY_APP_A",
    email: "app-a@n8n.example.com",
    lastName: "A",
    // The scopes of the key are a second limit: if roles in the gate's configuration grant more,
    // n8n refuses it.
    scopes: ["workflow:list", "workflow:read", "workflow:create", "workflow:update", "workflow:delete", "workflow:activate"],
  },
  {
    variable: "N8N_KEY_APP_B",
    email: "app-b@n8n.example.com",
    lastName: "B",
    scopes: ["workflow:list", "workflow:read"],
  },
];

const owner = await session("/rest/owner/setup", {
  email: needed("N8N_OWNER_EMAIL"),
  firstName: "The",
  lastName: "Owner",
  password: needed("N8N_OWNER_PASSWORD"),
});

for (const { variable, email, lastName, scopes } of applications) {
  const [invitation] = await post("/rest/invitations", [{ email, role: "global:member" }], owner);
  const token = new URL(invitation.user.inviteAcceptUrl).searchParams.get("token");
  // No person logs in as an application later, so its password is not kept.
  const password = `Aa1-${randomBytes(24).toString("hex")}`;
  const application = await session("/rest/invitations/accept", { token, firstName: "Application", lastName, password });
  const key = await post("/rest/api-keys", { label: "n8n-idp-gate", scopes, expiresAt: null }, application);
  console.log(`${variable}=${key.rawApiKey}`);
}

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
