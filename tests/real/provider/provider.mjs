// A certified OpenID provider (npm's oidc-provider) for the end-to-end tests and the demo.
//
// Its settings are in the environment: PROVIDER_DIR has node_modules, PROVIDER_SETTINGS is
//   { "port": 9000,
//     "resources": { "api://n8n-api": ["N8N.Workflow.Read", ...] },   audience → its scopes
// "opaque": ["api://n8n-opaque"],                   audiences with opaque tokens
//     "clients": [ { "id", "secret", "roles": [...], "age": 0 } ],
//     "people": { "ann": [...] },                   logins, and the roles of their tokens
//     "codes": ["http://127.0.0.1:8080/mcp/x"],     audiences of tokens by the authorization code grant
//     "portal": "http://127.0.0.1:8080/logout",     where log-out tokens of the client portal are sent, or null
//     "tls": { "port", "certificate", "key", "authority" } }      optional: a second port, for mutual TLS
// With "codes", any client can register (RFC 7591) and get tokens for people with the authorization code
// grant and PKCE. The page for the login takes `login` as it is, and consents.
// The tokens of a client are `age` seconds old when it gets them. A client may request the scopes
// among its roles, and its tokens have all its roles. Tokens are JWTs (RFC 9068), or opaque with
// introspection (RFC 7662). The client credentials grant with a resource indicator (RFC 8707)
// issues them, and they can be revoked (RFC 7009). A client that sends a DPoP proof gets a token that is
// bound to the key of the proof (RFC 9449). One that shows a certificate at the second port, and is
// registered with "certificate": true, gets a token that is bound to the certificate (RFC 8705). POST /test/rotate replaces the signing key; with
// {"keep": true} in its body the old one stays published. When it is ready, it prints one line that
// begins with "ready".

import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { X509Certificate, generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const entry = join(process.env.PROVIDER_DIR, 'node_modules/oidc-provider/lib/index.js');
const { Provider, errors } = await import(pathToFileURL(entry));
const settings = JSON.parse(process.env.PROVIDER_SETTINGS);
const issuer = `http://127.0.0.1:${settings.port}`;
const clients = new Map(settings.clients.map((client) => [client.id, client]));

const LIFETIME = 300; // seconds

const newKey = () => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: randomUUID(),
  use: 'sig',
  alg: 'RS256',
});

const rolesOf = ({ clientId, accountId }) => clients.get(clientId)?.roles ?? settings.people[accountId] ?? [];

const resourceServer = (audience, client) => {
  if (settings.codes.includes(audience)) {
    return { audience, scope: '', accessTokenFormat: 'jwt', accessTokenTTL: LIFETIME, jwt: { sign: { alg: 'RS256' } } };
  }
  const scopes = settings.resources[audience];
  if (!scopes) throw new errors.InvalidTarget();
  const { roles } = clients.get(client.clientId);
  return {
    audience,
    scope: scopes.filter((scope) => roles.includes(scope)).join(' '),
    accessTokenFormat: settings.opaque.includes(audience) ? 'opaque' : 'jwt',
    accessTokenTTL: LIFETIME,
    jwt: { sign: { alg: 'RS256' } },
  };
};

// The certificate of a client, as Node.js found it in the handshake.
const certificateOf = (context) => {
  const { raw } = context.socket.getPeerCertificate?.() ?? {};
  return raw && new X509Certificate(raw);
};

const mutualTls = settings.tls
  ? {
      features: {
        mTLS: {
          enabled: true,
          certificateBoundAccessTokens: true,
          getCertificate: certificateOf,
        },
      },
      discovery: {
        mtls_endpoint_aliases: { token_endpoint: `https://127.0.0.1:${settings.tls.port}/token` },
      },
    }
  : {};

// A client with which people log in, and that is told when they log out.
const portal = settings.portal
  ? [
      {
        client_id: 'portal',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: ['http://127.0.0.1/portal'],
        application_type: 'native',
        backchannel_logout_uri: settings.portal,
        backchannel_logout_session_required: true,
      },
    ]
  : [];

const providerWith = (keys) =>
  new Provider(issuer, {
    jwks: { keys },
    clients: portal.concat(settings.clients.map(({ id, secret, certificate }) => ({
      ...(certificate && settings.tls && { tls_client_certificate_bound_access_tokens: true }),
      client_id: id,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }))),
    // By default it calls no address of a private network or of this machine.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] },
    scopes: [...new Set(Object.values(settings.resources).flat())],
    discovery: mutualTls.discovery,
    features: {
      ...mutualTls.features,
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      backchannelLogout: { enabled: portal.length > 0 },
      introspection: { enabled: true },
      revocation: { enabled: true },
      registration: { enabled: settings.codes.length > 0 },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, audience, client) => resourceServer(audience, client),
      },
    },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    extraTokenClaims: (_context, token) => ({ roles: rolesOf(token) }),
    formats: {
      customizers: {
        jwt: (_context, token, { payload }) => {
          const age = clients.get(token.clientId)?.age ?? 0;
          payload.iat -= age;
          payload.exp -= age;
        },
      },
    },
    ttl: { ClientCredentials: LIFETIME },
  });

const bodyOf = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
};

let keys = [newKey()];
let provider = providerWith(keys);
let handle = provider.callback();

const rotate = async (request, response) => {
  const { keep } = JSON.parse((await bodyOf(request)) || '{}');
  keys = keep ? [newKey(), ...keys] : [newKey()];
  provider = providerWith(keys);
  handle = provider.callback();
  response.end();
};

// A person logs in and consents to all that the client asks for.
const interact = async (request, response) => {
  const accountId = new URLSearchParams(await bodyOf(request)).get('login');
  const { params } = await provider.interactionDetails(request, response);
  if (!settings.people[accountId]) throw new Error('no such person');
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addResourceScope(params.resource, params.scope);
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
};

const serve = (request, response) => {
  if (request.method === 'POST' && request.url === '/test/rotate') return rotate(request, response);
  if (request.method === 'POST' && request.url.startsWith('/interaction/')) {
    return interact(request, response).catch((error) => response.writeHead(400).end(String(error)));
  }
  return handle(request, response);
};

if (settings.tls) {
  const { port, certificate, key, authority } = settings.tls;
  const files = { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync(authority) };
  const server = createTlsServer({ ...files, requestCert: true, rejectUnauthorized: false }, serve);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}
createServer(serve).listen(settings.port, '127.0.0.1', () => console.log(`ready ${issuer}`));
