// Sends every path of tests/real/routing.json to a real n8n, byte for byte, and compares which of
// its handlers answers with what the table says. The native test n8n_table compares the same
// table with what this filter says, so that the two together tie the filter to n8n.
//
//   node tests/real/routing.mjs <base URL> <API key> [<group>] [--print]
//
// The key needs workflow:create, workflow:activate, workflow:deactivate, workflow:delete and
// workflow:list. The group (`default` when none is given) names the environment that n8n was
// started with. `--print` shows every answer. Exit status 1: an answer is another than the table's.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const words = process.argv.slice(2).filter((word) => word !== '--print');
const print = process.argv.includes('--print');
const [base, key, group = 'default'] = words;
if (!key) {
  console.error('usage: node tests/real/routing.mjs <base URL> <API key> [<group>] [--print]');
  process.exit(2);
}
const { hostname, port } = new URL(base);
const table = JSON.parse(readFileSync(new URL('routing.json', import.meta.url), 'utf8'));
const { environment, rows } = table[group];
const api = `/${environment.N8N_PUBLIC_API_ENDPOINT ?? 'api'}/v1`;

// What only one of n8n's handlers writes.
const HANDLERS = [
  [/requested webhook|This webhook is not registered/, 'trigger'],
  [/^\{"error":"Invalid token"\}/, 'trigger'], // a waiting execution whose link is not signed
  [/no such column: NaN/, 'trigger'], // a waiting execution whose number is none
  [/^<!DOCTYPE html>\s+<html lang='en'>/, 'trigger'], // a form's page; the interface's has "en"
  [/^# HELP/, 'metrics'],
  [/^\{"status":"ok"\}/, 'health'],
  [/^\{"data":\[.*"nextCursor"/s, 'workflow list'],
  [/MCP access is disabled/, 'mcp_server'],
  [/"issuer"|Unknown protected resource|^\{"error":"invalid_request"/, 'oauth'],
  [/^\{"message":|swagger/i, 'public_api'],
  [/^GET, HEAD, POST$/, 'public_api'], // the methods of /workflows, as Express lists them
  [/^\{"(data|status|code)":/, 'rest'],
  [/No active \w+ integration for agent/, 'agent'],
  [/<pre>Internal Server Error/, 'chat'], // it misses its WebSocket
  [/<pre>Cannot \w+ /, 'nothing'],
];

const workflow = await provision();
let wrong = 0;
try {
  await call('POST', `/workflows/${workflow}/activate`);
  await serve();
  for (const { method = 'GET', path, n8n } of rows) {
    const answer = await send(method, expand(path));
    const handler = nameHandler(answer);
    if (print) console.log(JSON.stringify({ method, path, handler, status: answer.status }));
    if (handler !== n8n) {
      wrong += 1;
      console.error(`${method} ${JSON.stringify(path)}: the table says ${n8n}, n8n says ${handler} `
        + `(${answer.status} ${answer.type} ${JSON.stringify(answer.body.slice(0, 120))})`);
    }
  }
} finally {
  await call('POST', `/workflows/${workflow}/deactivate`);
  await remove(workflow);
}
console.log(`${rows.length - wrong} of ${rows.length} paths were answered as the table says`);
process.exit(wrong === 0 ? 0 : 1);

/** Makes a workflow of webhooks that answer with what tells them apart. */
async function provision() {
  const hooks = [
    { name: 'echo', path: 'routing/echo' },
    { name: 'accent', path: 'routing/caf\u00e9' },
    { name: 'parameter', path: 'user/:id/orders', webhookId: '6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a11' },
    { name: 'whole', path: ':id', webhookId: '6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a12' },
  ];
  const nodes = hooks.flatMap(({ name, path, webhookId }, place) => [
    {
      id: `hook-${place}`, name, type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, place * 200],
      webhookId: webhookId ?? `7a0e3f5c-5a51-4b7e-8c1d-00000000000${place}`,
      parameters: { path, httpMethod: 'GET', responseMode: 'lastNode', authentication: 'none' },
    },
    {
      id: `set-${place}`, name: `answer ${name}`, type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [200, place * 200],
      parameters: { mode: 'raw', jsonOutput: JSON.stringify({ hook: name }) },
    },
  ]);
  const connections = Object.fromEntries(hooks.map(({ name }) => [
    name, { main: [[{ node: `answer ${name}`, type: 'main', index: 0 }]] },
  ]));
  const { id } = await call('POST', '/workflows', { name: 'routing proof', nodes, connections, settings: {} });
  return id;
}

/** Waits until the webhooks are there: n8n puts a workflow into service after it has answered. */
async function serve(attempts = 40) {
  const hook = `/${environment.N8N_ENDPOINT_WEBHOOK ?? 'webhook'}/routing/echo`;
  if (nameHandler(await send('GET', hook)) === 'hook echo') return;
  if (attempts === 0) throw new Error('n8n never served the webhooks of the active workflow');
  await new Promise((resolve) => setTimeout(resolve, 250));
  await serve(attempts - 1);
}

/** Deletes a workflow; n8n refuses (409) until it has done with taking it out of service. */
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

/** `{n*text}` in a path stands for `text` n times. */
function expand(path) {
  return path.replace(/\{(\d+)\*([^}]*)\}/g, (_, times, text) => text.repeat(Number(times)));
}

/** Sends a request whose target is not touched by any client: each character is one byte. */
function send(method, target) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks = [];
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer for ${target}`)));
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

/** Which handler of n8n's gave this answer. */
function nameHandler({ status, type, body }) {
  const hook = /"hook":"(\w+)"/.exec(body)?.[1];
  if (hook) return `hook ${hook}`;
  const [, name] = HANDLERS.find(([mark]) => mark.test(body)) ?? [];
  if (name) return name;
  // The page of the interface is never empty; an answer to a button in Slack is.
  if (type.startsWith('text/html') && status === 200 && body) return 'ui';
  if (type.startsWith('application/json')) return `json ${status}`;
  return `status ${status}`;
}
