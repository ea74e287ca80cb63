// Makes the filter's tables of n8n's public API, src/n8n/operations/table.rs and src/n8n/scope/table.rs, for every
// minor line of n8n that the filter supports.
//
//   node tests/real/operations.mjs <n8n package directory>...          write
// node tests/real/operations.mjs --check <n8n package directory>...  exit 1 if a file differs
//
// A directory has n8n's package.json (node_modules/n8n). What n8n says there (operations/n8n.mjs) goes into
// operations/n8n-<line>.json. The tables come from these files, those of other lines among them, and from the
// results of a code review (operations/overrides.json), so that one n8n is enough. Node 20 is enough, too.
//
// For each operation the file of a line has the reviewed handler and a digest of it. If a digest differs with a
// later n8n, review that handler before you accept the tables.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readKeyScopes, readOperations, readScopeReaders } from './operations/n8n.mjs';
import { renderOperations, renderScopes } from './operations/render.mjs';
import { makeTable } from './operations/table.mjs';

// The supported lines, the newest first. `src/n8n/line.rs` has the same.
const LINES = ['2.41', '1.123'];

const REPOSITORY = resolve(fileURLToPath(import.meta.url), '../../..');
const OPERATIONS = join(REPOSITORY, 'src/n8n/operations/table.rs');
const SCOPES = join(REPOSITORY, 'src/n8n/scope/table.rs');
const OVERRIDES = join(REPOSITORY, 'tests/real/operations/overrides.json');

const words = process.argv.slice(2);
const check = words[0] === '--check';
const directories = words.slice(check ? 1 : 0);
if (directories.length === 0) fail(2, 'usage: node tests/real/operations.mjs [--check] <n8n package directory>...');

for (const directory of directories) {
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const line = version.split('.', 2).join('.');
  if (!LINES.includes(line)) fail(2, `n8n ${version} is of no supported line (${LINES.join(', ')})`);
  put(fileOf(line), renderLine(version, directory));
}
const lines = LINES.map((line) => ({ line, ...JSON.parse(readFileSync(fileOf(line), 'utf8')) }));
const table = makeTable(lines, JSON.parse(readFileSync(OVERRIDES, 'utf8')));
put(OPERATIONS, renderOperations(table));
put(SCOPES, renderScopes(table));

function fileOf(line) {
  return join(REPOSITORY, `tests/real/operations/n8n-${line}.json`);
}

function put(path, text) {
  if (!check) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    fail(1, `${relative(REPOSITORY, path)} is not what n8n says. Write it anew, and review the handlers that\n`
      + `differ in the files of the lines:\n`
      + `  node tests/real/operations.mjs ${directories.join(' ')}`);
  }
}

function renderLine(version, directory) {
  const rows = readOperations(directory).map(({ call, handler, isController, isDecidedInside, scopes, user, code }) => (
    `    ${JSON.stringify(call)}: ${JSON.stringify({ handler, isController, isDecidedInside, key: scopes, user, code })}`));
  const readers = Object.entries(readScopeReaders(directory)).map(([name, code]) => `    ${JSON.stringify(name)}: "${code}"`);
  return `{
  "about": "Generated for n8n ${version} by tests/real/operations.mjs, after review of each handler: the scopes that n8n's middleware asks of the key, those that it asks of the key's user, and a digest of the handler. The order is that of openapi.yml. Then the scopes that a key can have, and the files in which n8n reads the scopes of a key, with a digest of those lines.",
  "version": "${version}",
  "operations": {
${rows.join(',\n')}
  },
  "scopes": ${JSON.stringify([...readKeyScopes(directory)].sort())},
  "readers": {
${readers.join(',\n')}
  }
}
`;
}

function fail(status, message) {
  console.error(message);
  process.exit(status);
}
