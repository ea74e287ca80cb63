// Reads the public API of an installed n8n 1 from its openapi.yml and its compiled handlers, and
// writes operations/n8n-1.json: each call, and the scopes that n8n asks of a key with a licence.
//
//   node tests/real/operations/n8n-1.mjs <n8n package directory>          write it
// node tests/real/operations/n8n-1.mjs --check <n8n package directory>  exit 1 if it differs
//
// tests/n8n_table compares it with the filter's table, which is that of n8n 2.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('n8n-1.json', import.meta.url));
const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace'];

const words = process.argv.slice(2);
const check = words[0] === '--check';
const directory = words[check ? 1 : 0];
if (!directory) fail(2, 'usage: node tests/real/operations/n8n-1.mjs [--check] <n8n package directory>');

const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
const text = `${JSON.stringify({ version, operations: readOperations() }, null, 1)}\n`;
if (!check) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) fail(1, `${FILE} is not what n8n ${version} says. Write it anew`);

function readOperations() {
  // n8n reads this file with the same parser, which is one of its dependencies.
  const yaml = createRequire(resolve(directory, 'package.json'))('yaml');
  const document = yaml.parse(readFileSync(join(directory, 'dist/public-api/v1/openapi.yml'), 'utf8'));
  const operations = {};
  for (const [template, item] of Object.entries(document.paths)) {
    if (item.$ref) throw new Error(`${template} is in another file: teach this script to follow it`);
    for (const method of METHODS.filter((method) => item[method])) {
      operations[`${method.toUpperCase()} ${template}`] = readScopes(item[method]);
    }
  }
  return operations;
}

// The scopes in the middleware of a handler. Without a licence, n8n 1 leaves them out.
function readScopes(operation) {
  const path = join(directory, 'dist/public-api', `${operation['x-eov-operation-handler']}.js`);
  const id = operation['x-eov-operation-id'];
  const body = readFileSync(path, 'utf8').match(new RegExp(`\\n    ${id}: \\[[\\s\\S]*?\\n    \\],\\n`))?.[0];
  if (body === undefined) throw new Error(`${path}: no ${id}`);
  const lists = [...body.matchAll(/apiKeyHasScope(?:WithGlobalScopeFallback)?\)\((.*)\),\n/g)];
  return lists.flatMap(([, list]) => [...list.matchAll(/'([^']*)'/g)].map(([, word]) => word));
}

function fail(status, text) {
  console.error(text);
  process.exit(status);
}
