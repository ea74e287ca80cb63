// From what each line of n8n says, and the results of a review, to the rows of the table.

const EVERYTHING = '*';

// lines: the newest first. An operation is the same in two lines if its path differs in the names of parameters
// alone; it has the names of the newest line. Where its scopes are the same, it is one row.
export function makeTable(lines, { stricter, kept }) {
  const rules = readRules(lines, [...stricter, ...kept]);
  const tables = lines.map((line) => operationsOf(line, rules).sort(asN8nTriesThem));
  const used = new Set(tables.flat().flatMap(({ scopes }) => scopes));
  // The scopes of an earlier line that none of its operations needs are left out: to grant them means nothing.
  const known = (scope, number) => number === 0 || used.has(scope);
  const scopes = new Map();
  for (const [number, { line, scopes: own }] of lines.entries()) {
    for (const scope of own.filter((scope) => known(scope, number))) {
      scopes.set(scope, [...scopes.get(scope) ?? [], line]);
    }
  }
  return { lines, scopes, groups: groupsOf(mergeTables(tables)) };
}

// The rules of each line by call, as the line writes it.
function readRules(lines, all) {
  const rules = new Map(lines.map(({ line }) => [line, new Map()]));
  for (const rule of all) {
    for (const call of rule.calls) {
      const own = lines.filter(({ line }) => (rule.lines ?? [line]).includes(line));
      const found = own.flatMap(({ line, operations }) => {
        const same = Object.keys(operations).find((other) => formOf(other) === formOf(call));
        return same === undefined ? [] : [{ line, call: same }];
      });
      if (found.length === 0) throw new Error(`n8n has no ${call}`);
      if (rule.lines && found.length !== rule.lines.length) throw new Error(`${call} is not in each of ${rule.lines}`);
      for (const { line, call } of found) {
        if (rules.get(line).has(call)) throw new Error(`${call} has two rules in ${line}`);
        rules.get(line).set(call, rule);
      }
    }
  }
  return rules;
}

// The operations of a line with the scopes that they need: those of n8n, or those that a review added.
function operationsOf({ line, operations, scopes: keyScopes }, rules) {
  const all = Object.entries(operations).map(([call, operation], position) => {
    const [method, template] = call.split(' ');
    const { key: scopes, isController, isDecidedInside } = operation;
    return { line, lines: [line], call, method, template, position, scopes, isController, isDecidedInside };
  });
  return all.flatMap((operation) => apply(rules.get(line).get(operation.call), operation, new Set(keyScopes)));
}

function apply(rule, operation, keyScopes) {
  const { scopes, isDecidedInside } = operation;
  const call = `n8n ${operation.line}, ${operation.call}`;
  const reasons = rule ? [{ line: operation.line, reason: rule.because }] : [];
  if (!rule?.needs && !rule?.where) {
    if (isDecidedInside) throw new Error(`${call} decides inside what it asks for: say what it needs`);
    if (scopes.length === 0 && !rule) throw new Error(`${call} asks for no scope: say why that will do`);
    return [{ ...operation, named: scopes, reasons }];
  }
  const needs = (list) => {
    const unknown = list.find((scope) => scope !== EVERYTHING && !keyScopes.has(scope));
    if (unknown) throw new Error(`${call}: no key can have the scope ${unknown}`);
    const lost = scopes.find((scope) => !list.includes(scope));
    if (lost && !isDecidedInside) throw new Error(`${call} would need less than n8n asks for: ${lost}`);
    if (lost && !list.some((scope) => scopes.includes(scope))) throw new Error(`${call}: none of n8n's own scopes`);
    return list;
  };
  if (rule.needs) return [{ ...operation, scopes: needs(rule.needs), named: scopes, reasons }];
  const [[parameter, values]] = Object.entries(rule.where);
  return Object.entries(values).map(([value, list]) => {
    const template = operation.template.replace(`{${parameter}}`, value);
    if (template === operation.template) throw new Error(`${call} has no {${parameter}}`);
    return { ...operation, template, scopes: needs(list), named: [], reasons };
  });
}

// By first segment. Within a group, in the order in which n8n tries them: first its controllers, as Express
// registered them (openapi.yml keeps that order), then the operations of express-openapi-validator, literals
// before parameters.
function asN8nTriesThem(one, other) {
  return compare(firstSegment(one), firstSegment(other))
    || compare(one.method, other.method)
    || segments(one).length - segments(other).length
    || Number(other.isController) - Number(one.isController)
    || (one.isController
      ? one.position - other.position
      : compare(one.template.replaceAll('/{', '/~'), other.template.replaceAll('/{', '/~')));
}

// One list, in which the rows of each line are in the order of that line.
function mergeTables([newest, ...earlier]) {
  const rows = [...newest];
  for (const table of earlier) {
    let after = 0;
    for (const row of table) {
      const form = formOf(`${row.method} ${row.template}`);
      const isSame = (other) => formOf(`${other.method} ${other.template}`) === form;
      const last = rows.findLastIndex(isSame);
      if (last < 0) {
        // Behind its predecessor in its own line, and where the order of all rows has it.
        while (after < rows.length && asN8nTriesThem(rows[after], row) < 0) after += 1;
        rows.splice(after, 0, row);
        continue;
      }
      const needsTheSame = ({ scopes, named }) => scopes.join() === row.scopes.join() && named.join() === row.named.join();
      const one = rows.findIndex((other) => isSame(other) && needsTheSame(other));
      if (one < 0) {
        rows.splice(last + 1, 0, { ...row, template: rows[last].template });
        after = last + 1;
        continue;
      }
      const [lines, reasons] = [[...rows[one].lines, row.line], [...rows[one].reasons, ...row.reasons]];
      rows[one] = { ...rows[one], lines, reasons };
      after = one;
    }
    checkOrder(rows, table);
  }
  return rows;
}

// Of two operations that one call can be, that line tries one first.
function checkOrder(rows, table) {
  const [{ line }] = table;
  const forms = (list) => list.map(({ method, template }) => formOf(`${method} ${template}`));
  const merged = forms(rows.filter(({ lines }) => lines.includes(line)));
  const own = forms(table);
  if (own.length !== merged.length) throw new Error(`n8n ${line} has ${own.length} operations, and the table ${merged.length}`);
  for (const [index, form] of own.entries()) {
    const later = own.slice(index + 1).filter((other) => overlap(form, other));
    const wrong = later.find((other) => merged.indexOf(other) < merged.indexOf(form));
    if (wrong) throw new Error(`n8n ${line} tries ${form} before ${wrong}`);
  }
}

function overlap(one, other) {
  const [segments, others] = [one.split('/'), other.split('/')];
  return segments.length === others.length
    && segments.every((segment, index) => [segment, others[index]].includes('{}') || segment === others[index]);
}

// The look-up takes the shortest names of groups first.
function groupsOf(rows) {
  const groups = new Map();
  for (const { method, template, lines, scopes, named, reasons } of rows) {
    const [first] = segments({ template });
    // The audit record names an operation by n8n's own scope for it.
    const name = named.length === 1 ? named[0] : `${method} ${template}`;
    const row = { method, segments: segments({ template }), template, lines, scopes, name, reasons };
    groups.set(first, [...groups.get(first) ?? [], row]);
  }
  return [...groups].sort(([one], [other]) => one.length - other.length || compare(one, other));
}

// A call without the names of its parameters.
function formOf(call) {
  return call.replace(/\{[^}]*\}/g, '{}');
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
