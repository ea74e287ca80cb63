// Makes src/n8n/operations/table.rs, the filter's table of n8n's public API, from an installed n8n
// (operations/n8n.mjs) and from the results of a code review (operations/overrides.json).
//
//   node tests/real/operations.mjs <n8n package directory>          write the table and the audit
// node tests/real/operations.mjs --check <n8n package directory>  exit 1 if they differ
//
// The directory has n8n's package.json (node_modules/n8n). Node 20 is enough.
//
// operations/audit.json has, for each operation, the reviewed handler and a digest of it. If a
// digest differs with a later n8n, review that handler before you accept the table.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readKeyScopes, readOperations, readScopeReaders } from './operations/n8n.mjs';

const REPOSITORY = resolve(fileURLToPath(import.meta.url), '../../..');
const TABLE = join(REPOSITORY, 'src/n8n/operations/table.rs');
const AUDIT = join(REPOSITORY, 'tests/real/operations/audit.json');
const OVERRIDES = join(REPOSITORY, 'tests/real/operations/overrides.json');
const EVERYTHING = '*';

const words = process.argv.slice(2);
const check = words[0] === '--check';
const directory = words[check ? 1 : 0];
if (!directory) fail(2, 'usage: node tests/real/operations.mjs [--check] <n8n package directory>');

const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
const found = readOperations(directory);
const keyScopes = readKeyScopes(directory);
put(TABLE, renderTable(merge(found, JSON.parse(readFileSync(OVERRIDES, 'utf8')))));
put(AUDIT, renderAudit(found));

function put(path, text) {
  if (!check) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    fail(1, `${relative(REPOSITORY, path)} is not what n8n ${version} says. Write it anew, and review\n`
      + `the handlers that differ in tests/real/operations/audit.json:\n`
      + `  node tests/real/operations.mjs ${directory}`);
  }
}

// The required scopes: those of n8n, or those that a review added.
function merge(operations, { stricter, kept }) {
  const rules = new Map();
  for (const rule of [...stricter, ...kept]) {
    for (const call of rule.calls) {
      if (rules.has(call)) throw new Error(`${call} has two rules`);
      if (!operations.some((operation) => operation.call === call)) throw new Error(`n8n has no ${call}`);
      rules.set(call, rule);
    }
  }
  return operations.flatMap((operation) => apply(rules.get(operation.call), operation)).sort(asN8nTriesThem);
}

function apply(rule, operation) {
  const { call, scopes, isDecidedInside } = operation;
  // The audit record names an operation by n8n's own scope for it.
  const name = scopes.length === 1 ? scopes[0] : undefined;
  if (!rule?.needs && !rule?.where) {
    if (isDecidedInside) throw new Error(`${call} decides inside what it asks for: say what it needs`);
    if (scopes.length === 0 && !rule) throw new Error(`${call} asks for no scope: say why that will do`);
    return [{ ...operation, name: name ?? call, reason: rule?.because }];
  }
  const needs = (list) => {
    const unknown = list.find((scope) => scope !== EVERYTHING && !keyScopes.has(scope));
    if (unknown) throw new Error(`${call}: no key can have the scope ${unknown}`);
    const lost = scopes.find((scope) => !list.includes(scope));
    if (lost && !isDecidedInside) throw new Error(`${call} would need less than n8n asks for: ${lost}`);
    if (lost && !list.some((scope) => scopes.includes(scope))) throw new Error(`${call}: none of n8n's own scopes`);
    return list;
  };
  if (rule.needs) return [{ ...operation, scopes: needs(rule.needs), name: name ?? call, reason: rule.because }];
  const [[parameter, values]] = Object.entries(rule.where);
  return Object.entries(values).map(([value, list]) => {
    const template = operation.template.replace(`{${parameter}}`, value);
    if (template === operation.template) throw new Error(`${call} has no {${parameter}}`);
    return { ...operation, template, scopes: needs(list), name: `${operation.method} ${template}`, reason: rule.because };
  });
}

// Grouped for the look-up by method, first segment and number of segments. Within a group, in the
// order in which n8n tries them: first its controllers, as Express registered them (openapi.yml
// keeps that order), then the operations of express-openapi-validator, literals before parameters.
function asN8nTriesThem(one, other) {
  return compare(one.method, other.method)
    || compare(firstSegment(one), firstSegment(other))
    || segments(one).length - segments(other).length
    || Number(other.isController) - Number(one.isController)
    || (one.isController
      ? one.position - other.position
      : compare(one.template.replaceAll('/{', '/~'), other.template.replaceAll('/{', '/~')));
}

function renderTable(operations) {
  const scopes = [...keyScopes].sort(compare);
  const odd = scopes.find((scope) => !/^[A-Za-z]+:[A-Za-z]+$/.test(scope));
  if (odd !== undefined) throw new Error(`${odd} does not look like a scope`);
  const wildcards = [...new Set(scopes.map((scope) => scope.replace(/:.*/, ':*')))].sort(compare);
  for (const { template } of operations) {
    const literals = segments({ template }).filter((segment) => !segment.startsWith('{'));
    if (literals.some((literal) => literal !== literal.toLowerCase())) {
      throw new Error(`${template}: the look-up takes literals to be in lower case`);
    }
  }
  const reasons = operations.filter(({ reason }) => reason);
  return `// Generated for n8n ${version} by tests/real/operations.mjs; do not edit.

use super::Operation;

/// Every scope that a key of n8n can have, sorted.
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

/// Method, template and what a review found: why an operation needs more than n8n's middleware
/// asks for, or why that will do.
#[rustfmt::skip]
pub(super) static REASONS: [(&str, &str, &str); ${reasons.length}] = [
${reasons.map(renderReason).join('')}];
`;
}

function renderOperation({ method, template, scopes, name }) {
  const list = scopes.map((scope) => `"${scope}"`).join(', ');
  return `    Operation { method: "${method}", template: "${template}", name: "${name}", scopes: &[${list}] },\n`;
}

function renderReason({ method, template, reason }) {
  return `    ("${method}", "${template}", ${JSON.stringify(reason)}),\n`;
}

function renderAudit(operations) {
  const rows = operations.map(({ call, handler, scopes, user, code }) => (
    `    ${JSON.stringify(call)}: ${JSON.stringify({ handler, key: scopes, user, code })}`));
  const readers = Object.entries(readScopeReaders(directory)).map(([name, code]) => `    ${JSON.stringify(name)}: "${code}"`);
  return `{
  "about": "Generated for n8n ${version} by tests/real/operations.mjs, after review of each handler: the scopes that n8n's middleware asks of the key, those that it asks of the key's user, and a digest of the handler. Below them the files in which n8n reads the scopes of a key, with a digest of those lines.",
  "operations": {
${rows.join(',\n')}
  },
  "readers": {
${readers.join(',\n')}
  }
}
`;
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
