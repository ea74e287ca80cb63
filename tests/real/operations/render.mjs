// The tables as Rust.

// The scopes.
export function renderScopes({ lines, scopes }) {
  const names = [...scopes.keys()].sort();
  const odd = names.find((scope) => !/^[A-Za-z]+:[A-Za-z]+$/.test(scope));
  if (odd !== undefined) throw new Error(`${odd} does not look like a scope`);
  const wildcards = [...new Set(names.map((scope) => scope.replace(/:.*/, ':*')))].sort();
  return `${headOf(lines)}
use crate::n8n::line::{Line, Lines};

${renderSets([...scopes.values()])}
/// Every scope that an operation can need, sorted, and the lines whose keys can have it.
#[rustfmt::skip]
pub(super) static SCOPES: [(&str, Lines); ${names.length}] = [
${names.map((name) => `    ("${name}", ${setOf(scopes.get(name))}),\n`).join('')}];

/// The wildcard of each resource, sorted.
#[rustfmt::skip]
pub(super) static WILDCARDS: [&str; ${wildcards.length}] = [
${wildcards.map((scope) => `    "${scope}",\n`).join('')}];
`;
}

// The operations.
export function renderOperations({ lines, groups }) {
  const rows = groups.flatMap(([, rows]) => rows);
  checkSegments(rows);
  const reasons = rows.flatMap(reasonsOf);
  return `${headOf(lines)}
use super::operation::Segment::{Literal, Parameter};
use super::operation::{Group, Method, Operation};
use crate::n8n::line::{Line, Lines};
use crate::n8n::scope::scope;

${renderSets(rows.map(({ lines }) => lines))}
/// Every operation, by its first segment. The groups are ordered by the length of that, and then by its letters;
/// the operations of a group as n8n tries them.
#[rustfmt::skip]
pub(super) static GROUPS: [Group; ${groups.length}] = [
${groups.map(renderGroup).join('')}];

/// Method, template, lines and what a review found: why an operation needs more than n8n's middleware
/// asks for, or why that will do.
#[rustfmt::skip]
pub(super) static REASONS: [(Method, &str, Lines, &str); ${reasons.length}] = [
${reasons.map(renderReason).join('')}];
`;
}

function headOf(lines) {
  return `// Generated for n8n ${lines.map(({ version }) => version).join(' and ')} by tests/real/operations.mjs; do not edit.\n`;
}

// A constant for each set of lines.
function renderSets(all) {
  const sets = new Map(all.map((lines) => [setOf(lines), lines]));
  return [...sets].map(([name, lines]) => `const ${name}: Lines = Lines::of(&[${lines.map((line) => `Line::${variant(line)}`).join(', ')}]);\n`).join('');
}

function checkSegments(rows) {
  for (const { template, segments } of rows) {
    const literals = segments.filter((segment) => !segment.startsWith('{'));
    if (literals.some((literal) => literal !== literal.toLowerCase())) {
      throw new Error(`${template}: the look-up takes literals to be in lower case`);
    }
    if (segments[0].startsWith('{')) throw new Error(`${template}: the look-up needs a literal first`);
  }
}

function renderGroup([first, rows]) {
  return `    Group { first: "${first}", operations: &[
${rows.map(renderOperation).join('')}    ] },\n`;
}

function renderOperation({ method, segments, lines, scopes, name }) {
  const path = segments.map((segment) => (segment.startsWith('{') ? `Parameter("${segment.slice(1, -1)}")` : `Literal("${segment}")`));
  const needs = scopes.map((name) => `scope("${name}")`);
  return `        Operation { lines: ${setOf(lines)}, method: ${methodOf(method)}, segments: &[${path.join(', ')}], name: "${name}", scopes: &[${needs.join(', ')}] },\n`;
}

// One for each text, with the lines that it is for.
function reasonsOf({ method, template, reasons }) {
  const lines = new Map();
  for (const { line, reason } of reasons) lines.set(reason, [...lines.get(reason) ?? [], line]);
  return [...lines].map(([reason, lines]) => ({ method, template, lines, reason }));
}

function renderReason({ method, template, lines, reason }) {
  return `    (${methodOf(method)}, "${template}", ${setOf(lines)}, ${JSON.stringify(reason)}),\n`;
}

function methodOf(method) {
  return `Method::${method[0]}${method.slice(1).toLowerCase()}`;
}

function variant(line) {
  return `V${line.replace('.', '_')}`;
}

function setOf(lines) {
  return lines.map((line) => variant(line)).join('_AND_');
}
