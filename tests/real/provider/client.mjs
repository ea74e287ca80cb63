// An OAuth client (npm's openid-client) that gets a token from the provider and calls n8n with it.
//
// Its settings are in the environment: PROVIDER_DIR has node_modules, CLIENT_SETTINGS is
//   { "issuer", "id", "secret", "scope", "resource",
//     "dpop": "ES256",                                         the algorithm of its proofs, or absent
//     "certificate", "key", "authority",                      files for mutual TLS, or absent
//     "call_certificate", "call_key",                         those of its calls
//     "calls": ["http://127.0.0.1:8080/api/v1/workflows"] }
// It prints one line of JSON: the type of the token, its cnf if it is a JWT, and the status and body of
// the response to each call.

import { request as requestOverTls } from 'node:https';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const entry = join(process.env.PROVIDER_DIR, 'node_modules/openid-client/build/index.js');
const client = await import(pathToFileURL(entry));
const settings = JSON.parse(process.env.CLIENT_SETTINGS);

// fetch with a certificate of the client.
let own = { cert: settings.certificate, key: settings.key };
const certified = async (url, options) => {
  if (!url.toString().startsWith('https:')) return fetch(url, options);
  const files = {
    cert: readFileSync(own.cert),
    key: readFileSync(own.key),
    ca: readFileSync(settings.authority),
    checkServerIdentity: () => undefined,
  };
  const headers = Object.fromEntries(new Headers(options.headers));
  return new Promise((resolve, reject) => {
    const request = requestOverTls(url, { ...files, method: options.method, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        resolve(new Response(Buffer.concat(parts), { status, headers }));
      });
    });
    request.on('error', reject);
    request.end(options.body?.toString());
  });
};

const config = await client.discovery(
  new URL(settings.issuer),
  settings.id,
  { use_mtls_endpoint_aliases: Boolean(settings.certificate) },
  client.ClientSecretBasic(settings.secret),
  {
    execute: [client.allowInsecureRequests],
    ...(settings.certificate && { [client.customFetch]: certified }),
  },
);
const options = {};
if (settings.dpop) {
  const keys = await client.randomDPoPKeyPair(settings.dpop);
  options.DPoP = client.getDPoPHandle(config, keys);
}
const { scope, resource } = settings;
const token = await client.clientCredentialsGrant(config, { scope, resource }, options);
const parts = token.access_token.split('.');
const claims = parts.length === 3 ? JSON.parse(Buffer.from(parts[1], 'base64url')) : {};
own = { cert: settings.call_certificate, key: settings.call_key };
const responses = [];
for (const url of settings.calls) {
  const call = () =>
    client.fetchProtectedResource(
      config, token.access_token, new URL(url), 'GET', undefined, undefined, options,
    );
  // A response with a challenge is an error of the library, which has the response.
  const response = await call().catch((error) => {
    if (!error.response) throw error;
    return error.response;
  });
  responses.push({ status: response.status, body: await response.text() });
}
console.log(JSON.stringify({ type: token.token_type, cnf: claims.cnf ?? null, responses }));
