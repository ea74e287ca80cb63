// Makes src/n8n/operations/table.rs from the openapi.yml of an installed n8n, so that what this
// filter knows of the public API is what n8n itself says.
//
//   node tests/real/operations.mjs <n8n package directory>          write the table
//   node tests/real/operations.mjs --check <n8n package directory>  exit 1 when it is out of step
//
// The directory is the one that holds n8n's package.json (node_modules/n8n). Node 20 is enough.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace'];
const REPOSITORY = resolve(fileURLToPath(import.meta.url), '../../..');
const TABLE = join(REPOSITORY, 'src/n8n/operations/table.rs');

const words = process.argv.slice(2);
const check = words[0] === '--check';
const directory = words[check ? 1 : 0];
if (!directory) fail(2, 'usage: node tests/real/operations.mjs [--check] <n8n package directory>');

const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
const table = render(version, readOperations(directory));
if (!check) {
  writeFileSync(TABLE, table);
} else if (readFileSync(TABLE, 'utf8') !== table) {
  fail(1, `${relative(REPOSITORY, TABLE)} is not what n8n ${version} says; mend it with\n`
    + `  node tests/real/operations.mjs ${directory}`);
}

function readOperations(directory) {
  // n8n itself reads this file with the same parser, which is among its dependencies.
  const { parse } = createRequire(resolve(directory, 'package.json'))('yaml');
  const api = join(directory, 'dist/public-api/v1');
  const document = parse(readFileSync(join(api, 'openapi.yml'), 'utf8'));
  const anyOf = readAnyOfLists(join(api, 'controllers'));

  const operations = [];
  for (const [template, item] of Object.entries(document.paths)) {
    if (item.$ref) throw new Error(`${template} is in another file: teach this script to follow it`);
    for (const method of METHODS.filter((method) => item[method])) {
      const operation = item[method];
      operations.push({
        method: method.toUpperCase(),
        template,
        place: operations.length,
        isController: operation['x-decorator-routed'] === true,
        ...readScopes(operation['x-required-scope'] ?? 'none', anyOf),
      });
    }
  }
  return operations.sort(asN8nTriesThem);
}

// openapi.yml joins several scopes with commas whether n8n asks for all of them or for one; the
// compiled controllers tell. What no controller lists as `anyOf` counts as all: n8n then decides
// by the body, which this filter does not read.
function readAnyOfLists(controllers) {
  const lists = new Set();
  for (const name of readdirSync(controllers).filter((name) => name.endsWith('.js'))) {
    const source = readFileSync(join(controllers, name), 'utf8');
    for (const [, list] of source.matchAll(/ApiKeyScope\)\(\{ anyOf: \[([^\]]*)\] \}\)/g)) {
      lists.add(list.replaceAll(/['"\s]/g, ''));
    }
  }
  return lists;
}

function readScopes(text, anyOf) {
  if (text === 'none') return { scopes: [], rule: 'AllOf' };
  const scopes = text.split(',').map((scope) => scope.trim());
  const odd = scopes.find((scope) => !/^[A-Za-z]+:[A-Za-z]+$/.test(scope));
  if (odd !== undefined) throw new Error(`${odd} does not look like a scope`);
  return { scopes, rule: anyOf.has(scopes.join(',')) ? 'AnyOf' : 'AllOf' };
}

// Grouped for the look-up by method, first segment and number of segments. Within a group in the
// order in which n8n tries them: first its controllers, as Express registered them (openapi.yml
// keeps that order), then what express-openapi-validator serves, literals before parameters.
function asN8nTriesThem(one, other) {
  return compare(one.method, other.method)
    || compare(firstSegment(one), firstSegment(other))
    || segments(one).length - segments(other).length
    || Number(other.isController) - Number(one.isController)
    || (one.isController
      ? one.place - other.place
      : compare(one.template.replaceAll('/{', '/~'), other.template.replaceAll('/{', '/~')));
}

function render(version, operations) {
  const scopes = [...new Set(operations.flatMap(({ scopes }) => scopes))].sort(compare);
  const wildcards = [...new Set(scopes.map((scope) => scope.replace(/:.*/, ':*')))].sort(compare);
  for (const { template } of operations) {
    const literals = segments({ template }).filter((segment) => !segment.startsWith('{'));
    if (literals.some((literal) => literal !== literal.toLowerCase())) {
      throw new Error(`${template}: the look-up takes literals to be in lower case`);
    }
  }
  return `// Generated from the openapi.yml of n8n ${version} by tests/real/operations.mjs; do not edit.

use super::Operation;
use super::ScopeRule::{AllOf, AnyOf};

/// Every scope that an operation asks for, sorted.
#[rustfmt::skip]
pub(in crate::n8n) static SCOPES: [&str; ${scopes.length}] = [
${scopes.map((scope) => `    "${scope}",\n`).join('')}];

/// The wildcard of each resource, sorted.
#[rustfmt::skip]
pub(in crate::n8n) static WILDCARDS: [&str; ${wildcards.length}] = [
${wildcards.map((scope) => `    "${scope}",\n`).join('')}];

/// Every operation, by method, first segment and number of segments; then as n8n tries them.
#[rustfmt::skip]
pub(super) static OPERATIONS: [Operation; ${operations.length}] = [
${operations.map(renderOperation).join('')}];
`;
}

function renderOperation({ method, template, scopes, rule }) {
  const name = scopes.length === 1 ? scopes[0] : `${method} ${template}`;
  const list = scopes.map((scope) => `"${scope}"`).join(', ');
  return `    Operation { method: "${method}", template: "${template}", name: "${name}", `
    + `rule: ${rule}, scopes: &[${list}] },\n`;
}

function segments({ template }) {
  return template.split('/').slice(1);
}

function firstSegment(operation) {
  return segments(operation)[0];
}

function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}

function fail(status, message) {
  console.error(message);
  process.exit(status);
}
