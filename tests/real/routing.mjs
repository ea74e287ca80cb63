// Sends every path of tests/real/routing.json to a real n8n, byte for byte, and compares the
// handler that responds with the table. The native test n8n_table compares the filter with the same
// table. Together they compare the filter with n8n.
//
//   node tests/real/routing.mjs <base URL> <API key> [<group>] [--n8n-1] [--print]
//
// The key needs workflow:create, workflow:activate, workflow:deactivate, workflow:delete and
// workflow:list. The group (`default` if it is left out) names the environment of n8n. `--print`
// shows every response. `--n8n-1`: it is an n8n 1, whose handler is in `n8n 1` where it differs. Exit status 1: a response differs from the table.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const print = process.argv.includes('--print');
const isN8n1 = process.argv.includes('--n8n-1');
const [base, key, group = 'default'] = words;
if (!key) {
  console.error('usage: node tests/real/routing.mjs <base URL> <API key> [<group>] [--print]');
  process.exit(2);
}
const { hostname, port } = new URL(base);
const table = JSON.parse(readFileSync(new URL('routing.json', import.meta.url), 'utf8'));
const { environment, rows } = table[group];
const api = `/${environment.N8N_PUBLIC_API_ENDPOINT ?? 'api'}/v1`;

// Texts that only one of n8n's handlers writes.
const HANDLERS = [
  [/requested webhook|This webhook is not registered/, 'trigger'],
  [/^\{"error":"Invalid token"\}/, 'trigger'], // a waiting execution with an unsigned link
  [/no such column: NaN/, 'trigger'], // a waiting execution with an invalid number
  [/^<!DOCTYPE html>\s+<html lang='en'>/, 'trigger'], // the page of a form; that of the user interface has "en"
  [/^# HELP/, 'metrics'],
  [/^\{"status":"ok"\}/, 'health'],
  [/^\{"data":\[.*"nextCursor"/s, 'workflow list'],
  [/MCP access is disabled/, 'mcp_server'],
  [/"issuer"|Unknown protected resource|^\{"error":"invalid_request"/, 'oauth'],
  [/^\{"message":|swagger/i, 'public_api'],
  [/^GET, HEAD, POST$/, 'public_api'], // the methods of /workflows, as Express lists them
  [/^\{"(data|status|code)":/, 'rest'],
  [/No active \w+ integration for agent/, 'agent'],
  [/<pre>Internal Server Error/, 'chat'], // it expects a WebSocket
  [/<pre>Cannot \w+ /, 'nothing'],
];

const workflow = await provision();
let wrong = 0;
try {
  await call('POST', `/workflows/${workflow}/activate`);
  await serve();
  for (const { method = 'GET', path, ...row } of rows) {
    const n8n = (isN8n1 && row['n8n 1']) || row.n8n;
    const response = await send(method, expand(path));
    const handler = nameHandler(response);
    if (print) console.log(JSON.stringify({ method, path, handler, status: response.status }));
    if (handler !== n8n) {
      wrong += 1;
      console.error(`${method} ${JSON.stringify(path)}: the table says ${n8n}, n8n says ${handler} `
        + `(${response.status} ${response.type} ${JSON.stringify(response.body.slice(0, 120))})`);
    }
  }
} finally {
  await call('POST', `/workflows/${workflow}/deactivate`);
  await remove(workflow);
}
console.log(`${rows.length - wrong} of ${rows.length} paths have the responses of the table`);
process.exit(wrong === 0 ? 0 : 1);

/** Makes a workflow of webhooks, each with its own response. */
async function provision() {
  const hooks = [
    { name: 'echo', path: 'routing/echo' },
    { name: 'accent', path: 'routing/caf\u00e9' },
    { name: 'parameter', path: 'user/:id/orders', webhookId: '6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a11' },
    { name: 'whole', path: ':id', webhookId: '6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a12' },
  ];
  const nodes = hooks.flatMap(({ name, path, webhookId }, index) => [
    {
      id: `hook-${index}`, name, type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, index * 200],
      webhookId: webhookId ?? `7a0e3f5c-5a51-4b7e-8c1d-00000000000${index}`,
      parameters: { path, httpMethod: 'GET', responseMode: 'lastNode', authentication: 'none' },
    },
    {
      id: `set-${index}`, name: `response ${name}`, type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [200, index * 200],
      parameters: { mode: 'raw', jsonOutput: JSON.stringify({ hook: name }) },
    },
  ]);
  const connections = Object.fromEntries(hooks.map(({ name }) => [
    name, { main: [[{ node: `response ${name}`, type: 'main', index: 0 }]] },
  ]));
  const { id } = await call('POST', '/workflows', { name: 'routing proof', nodes, connections, settings: {} });
  return id;
}

/** Waits until the webhooks exist. n8n activates a workflow after its response. */
async function serve(attempts = 40) {
  const hook = `/${environment.N8N_ENDPOINT_WEBHOOK ?? 'webhook'}/routing/echo`;
  if (nameHandler(await send('GET', hook)) === 'hook echo') return;
  if (attempts === 0) throw new Error('n8n never served the webhooks of the active workflow');
  await new Promise((resolve) => setTimeout(resolve, 250));
  await serve(attempts - 1);
}

/** Deletes a workflow. n8n refuses (409) until the workflow is deactivated. */
async function remove(workflow, attempts = 20) {
  try {
    await call('DELETE', `/workflows/${workflow}`);
  } catch (error) {
    if (attempts === 0) throw error;
    await new Promise((resolve) => setTimeout(resolve, 250));
    await remove(workflow, attempts - 1);
  }
}

async function call(method, path, body) {
  const response = await fetch(new URL(api + path, base), {
    method,
    headers: { 'x-n8n-api-key': key, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}

/** Expands `{n*text}` in a path to `text` n times. */
function expand(path) {
  return path.replace(/\{(\d+)\*([^}]*)\}/g, (_, times, text) => text.repeat(Number(times)));
}

/** Sends a request with the exact target: each character is one byte. */
function send(method, target) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks = [];
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no response for ${target}`)));
    socket.on('error', reject);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))));
    socket.write(Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`
      + (method === 'POST' ? 'Content-Length: 0\r\n' : '')
      + `X-N8N-API-KEY: ${key}\r\nAccept: */*\r\nConnection: close\r\n\r\n`, 'latin1'));
  });
}

function parse(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const header = (name) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
  return {
    status: Number(head.split(' ')[1]),
    type: header('content-type'),
    body: rest.join('\r\n\r\n').replace(/^[0-9a-f]+\r\n/i, ''),
  };
}

/** The handler of n8n that made this response. */
function nameHandler({ status, type, body }) {
  const hook = /"hook":"(\w+)"/.exec(body)?.[1];
  if (hook) return `hook ${hook}`;
  const [, name] = HANDLERS.find(([mark]) => mark.test(body)) ?? [];
  if (name) return name;
  // The page of the user interface is never empty. A response to a button in Slack is.
  if (type.startsWith('text/html') && status === 200 && body) return 'ui';
  if (type.startsWith('application/json')) return `json ${status}`;
  return `status ${status}`;
}
