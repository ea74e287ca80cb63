// Calls `list_workflows` of an MCP bridge to n8n's public API, which has one setting for a credential:
// N8N_API_KEY. N8N_API_URL is n8n's API. Prints what the tool returned.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const modules = join(process.env.CLIENTS_DIR, 'node_modules');
const sdk = (path) => import(pathToFileURL(join(modules, '@modelcontextprotocol/sdk/dist/esm', path)));
const { Client } = await sdk('client/index.js');
const { StdioClientTransport } = await sdk('client/stdio.js');

const { N8N_API_URL, N8N_API_KEY } = process.env;
const client = new Client({ name: 'test', version: '1.0.0' });
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [join(modules, '@leonardsellem/n8n-mcp-server/build/index.js')],
    env: { N8N_API_URL, N8N_API_KEY },
    stderr: 'inherit',
  }),
);
const listed = await client.callTool({ name: 'list_workflows', arguments: {} });
await client.close();
console.log(JSON.stringify(listed));
