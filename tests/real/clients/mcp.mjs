// The MCP client of the official SDK, which knows only the URL of an MCP server: mcp.mjs URL http|sse.
//
// It finds the provider, registers, logs a person in with the authorization code grant and PKCE, lists the
// tools and calls `answer`. The person is scripted: LOGIN logs in at the provider. The last line of its
// output is JSON: the requests that it made, the client that it registered, and what the tools returned.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [serverUrl, kind] = process.argv.slice(2);
const sdk = (path) =>
  import(pathToFileURL(join(process.env.CLIENTS_DIR, 'node_modules/@modelcontextprotocol/sdk/dist/esm', path)));
const { Client } = await sdk('client/index.js');
const { UnauthorizedError } = await sdk('client/auth.js');
const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp.js');
const { SSEClientTransport } = await sdk('client/sse.js');

const CALLBACK = 'http://127.0.0.1/callback'; // no request comes here

const requests = [];
const recording = async (url, options = {}) => {
  const response = await fetch(url, options);
  requests.push(`${options.method ?? 'GET'} ${new URL(url).pathname} ${response.status}`);
  return response;
};

/** What a client keeps, in memory. */
const kept = {};
const authProvider = {
  redirectUrl: CALLBACK,
  clientMetadata: {
    client_name: 'A client that knows only a URL',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (url) => void (kept.authorization = url),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
};

/** Does in a browser what a person would do, and returns the code. */
const logIn = async (address) => {
  const cookies = new Map();
  let url = new URL(address);
  for (let hops = 0; hops < 12; hops += 1) {
    if (url.href.startsWith(CALLBACK)) {
      const code = url.searchParams.get('code');
      if (!code) throw new Error(`the provider refuses: ${url.search}`);
      return code;
    }
    const isForm = url.pathname.startsWith('/interaction/');
    const response = await fetch(url, {
      redirect: 'manual',
      method: isForm ? 'POST' : 'GET',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: isForm ? new URLSearchParams({ login: process.env.LOGIN }) : undefined,
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0].split(/=(.*)/s);
      cookies.set(name, value);
    }
    const next = response.headers.get('location');
    if (!next) throw new Error(`${url.pathname} has ${response.status}: ${await response.text()}`);
    url = new URL(next, url);
  }
  throw new Error('the provider redirects for ever');
};

const transport = () => {
  const options = { authProvider, fetch: recording };
  return kind === 'sse'
    ? new SSEClientTransport(new URL(serverUrl), options)
    : new StreamableHTTPClientTransport(new URL(serverUrl), options);
};

const client = () => new Client({ name: 'test', version: '1.0.0' });

const first = transport();
try {
  await client().connect(first);
  throw new Error('the server needs no token');
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
}
await first.finishAuth(await logIn(kept.authorization));

const connected = client();
await connected.connect(transport());
const { tools } = await connected.listTools();
const called = await connected.callTool({ name: 'answer', arguments: { query: 'six times seven' } });
await connected.close();
console.log(
  JSON.stringify({
    requests,
    authorization: Object.fromEntries(kept.authorization.searchParams),
    client: kept.client.client_id,
    tools: tools.map(({ name }) => name),
    content: called.content,
  }),
);
process.exit(0);
