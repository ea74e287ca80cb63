// Adds a caller to the realm, or gives one a new secret, and prints the secret. callers.sh runs it in the
// n8n container, which has Node.js and reaches Keycloak. The same by hand: docs/guides/providers/keycloak.md.
//
// callers.mjs add NAME [ROLE...]     callers.mjs rotate NAME

const base = process.env.KEYCLOAK_BASE ?? "http://keycloak:8080";
const realm = `${base}/admin/realms/n8n`;
const [command, name, ...roles] = process.argv.slice(2);
if (!["add", "rotate"].includes(command) || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name ?? ""))
  throw new Error("usage: callers.sh add NAME [ROLE...], or callers.sh rotate NAME");
// No one calls with this client: it is n8n itself, the audience.
if (name === "n8n") throw new Error("n8n is no caller");

const token = await administrator();
if (command === "add") await add();
const client = await theClient();
if (command === "rotate") await call("POST", `/clients/${client.id}/client-secret`);
console.log((await (await call("GET", `/clients/${client.id}/client-secret`)).json()).value);

/** A client with a service account, the audience n8n, and these roles of the realm, and no way to log people in. */
async function add() {
  // Roles first: a misspelt one adds nothing.
  const granted = [];
  for (const role of roles) granted.push(await (await call("GET", `/roles/${encodeURIComponent(role)}`)).json());
  await call("POST", "/clients", {
    clientId: name,
    protocol: "openid-connect",
    publicClient: false,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
    protocolMappers: [
      {
        name: "audience n8n",
        protocol: "openid-connect",
        protocolMapper: "oidc-audience-mapper",
        config: {
          "included.client.audience": "n8n",
          "access.token.claim": "true",
          "introspection.token.claim": "true",
          "id.token.claim": "false",
        },
      },
    ],
  });
  const { id } = await theClient();
  const account = await (await call("GET", `/clients/${id}/service-account-user`)).json();
  await call("POST", `/users/${account.id}/role-mappings/realm`, granted);
}

async function theClient() {
  const found = await (await call("GET", `/clients?clientId=${encodeURIComponent(name)}`)).json();
  if (found.length !== 1) throw new Error(`there is no caller ${name}`);
  return found[0];
}

async function administrator() {
  const password = process.env.KEYCLOAK_ADMIN_PASSWORD;
  if (!password) throw new Error("KEYCLOAK_ADMIN_PASSWORD is not set");
  const username = process.env.KEYCLOAK_ADMIN ?? "admin";
  const answer = await fetch(`${base}/realms/master/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "password", client_id: "admin-cli", username, password }),
  });
  if (!answer.ok) throw new Error(`Keycloak answered the log-in with ${answer.status}`);
  return (await answer.json()).access_token;
}

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(realm + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${await answer.text()}`);
  return answer;
}
