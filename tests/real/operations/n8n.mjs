// Reads the public API of an installed n8n from openapi.yml and from the compiled code. If they
// differ, the code counts. A handler can require more than its middleware, and openapi.yml has
// neither.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace'];
const API = 'dist/public-api/v1';

// Every operation of openapi.yml with the handler that serves it, in the order of the file.
export function readOperations(directory) {
  // n8n reads this file with the same parser, which is one of its dependencies.
  const { parse } = createRequire(resolve(directory, 'package.json'))('yaml');
  const text = readFileSync(join(directory, API, 'openapi.yml'), 'utf8');
  const document = parse(text);
  // The file of n8n 1 names no scopes.
  const declares = text.includes('x-required-scope');
  const routes = readControllers(join(directory, API, 'controllers'));
  const operations = [];
  for (const [template, item] of Object.entries(document.paths)) {
    if (item.$ref) throw new Error(`${template} is in another file: teach this script to follow it`);
    for (const method of METHODS.filter((method) => item[method])) {
      const operation = readOperation(directory, routes, method, template, item[method]);
      if (declares) compareScopes(operation, item[method]['x-required-scope']);
      operations.push(operation);
    }
  }
  const served = new Set(operations.map(({ handler }) => handler));
  const forgotten = [...routes.values()].find(({ handler }) => !served.has(handler));
  if (forgotten) throw new Error(`${forgotten.handler} is not in openapi.yml`);
  return operations;
}

function readOperation(directory, routes, method, template, operation) {
  const isController = operation['x-decorator-routed'] === true;
  const found = isController
    ? routes.get(routeKey(method, template))
    : readHandler(directory, operation['x-eov-operation-handler'], operation['x-eov-operation-id'] ?? operation.operationId);
  const call = `${method.toUpperCase()} ${template}`;
  if (!found) throw new Error(`${call}: no handler`);
  return { call, isController, ...found };
}

function compareScopes({ call, scopes }, declared = 'none') {
  const list = declared.split(',').map((scope) => scope.trim());
  if (list.join() !== (scopes.join() || 'none')) {
    throw new Error(`${call}: openapi.yml says ${declared}, the code ${scopes}`);
  }
}

// The routes of n8n's controllers, by method and path, from the compiled form of their decorators.
function readControllers(folder) {
  const routes = new Map();
  // n8n 1 has none.
  if (!existsSync(folder)) return routes;
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.public.controller.js'))) {
    const source = readFileSync(join(folder, name), 'utf8');
    const [, prefix] = source.match(/PublicApiController\)\('([^']*)'/);
    for (const [block, list, , route] of source.matchAll(/__decorate\(\[\n((?:(?!__decorate\(\[)[\s\S])*?)\], (\w+)\.prototype, "(\w+)", null\);/g)) {
      const [, method, path] = list.match(/decorators_1\.(Get|Post|Put|Patch|Delete|Head|Options)\)\('([^']*)'/);
      const [, scope] = list.match(/ApiKeyScope\)\((.*)\),?\n/) ?? [];
      const body = source.match(new RegExp(`\\n    async ${route}\\([\\s\\S]*?\\n    \\}\\n`));
      if (!body) throw new Error(`${name}: no method ${route}`);
      routes.set(routeKey(method.toLowerCase(), `${prefix}${path}`), {
        handler: `controllers/${name} ${route}`,
        scopes: quoted(scope ?? ''),
        isDecidedInside: scope !== undefined && scope.includes('anyOf'),
        user: quoted([...list.matchAll(/(?:ProjectScope|GlobalScope)\)\((.*)\),?\n/g)].map(([, text]) => text).join()),
        code: digest(block + body[0]),
      });
    }
  }
  return routes;
}

// An entry of a handler module: a list of middleware, with the handler as the last element.
function readHandler(directory, module, id) {
  const path = join(directory, 'dist/public-api', `${module}.js`);
  const source = readFileSync(path, 'utf8');
  const body = source.match(new RegExp(`\\n    ${id}: \\[[\\s\\S]*?\\n    \\],\\n`))?.[0];
  if (body === undefined) throw new Error(`${path}: no ${id}`);
  const composite = body.match(/publicApiCompositeScope\)\(([^)]*)\)/)?.[1];
  // A named list is at the top of the module.
  const text = composite !== undefined && /^\w+$/.test(composite)
    ? source.match(new RegExp(`const ${composite} = (.*);`))[1]
    : composite ?? body.match(/(?:publicApiScope|apiKeyHasScope|GlobalScopeFallback)\)\((.*)\),\n/)?.[1] ?? '';
  return {
    handler: `${module.replace(/^v1\//, '')}.js ${id}`,
    scopes: quoted(text).flatMap((list) => list.split(',')),
    // The middleware of a composite scope passes everything.
    isDecidedInside: composite !== undefined,
    user: quoted([...body.matchAll(/(?:projectScope|assertProjectScope)\)\((.*)\)[,;]\n/g)].map(([, list]) => list).join())
      .filter((word) => word.includes(':')),
    code: digest(body),
  };
}

// The files in which n8n reads the scopes of a key, each with a digest of these lines. They show
// where a later version requires something new.
export function readScopeReaders(directory) {
  const readers = {};
  const root = join(directory, 'dist');
  for (const name of readdirSync(root, { recursive: true }).sort()) {
    if (!name.endsWith('.js')) continue;
    const lines = readFileSync(join(root, name), 'utf8').split('\n');
    const found = lines.filter((line) => /apiKeyScopes/i.test(line));
    if (found.length > 0) readers[name.replaceAll('\\', '/')] = digest(found.join('\n'));
  }
  return readers;
}

// Every scope that a key can have.
export function readKeyScopes(directory) {
  const { API_KEY_RESOURCES } = createRequire(resolve(directory, 'package.json'))('@n8n/permissions');
  return new Set(Object.entries(API_KEY_RESOURCES)
    .flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`)));
}

function routeKey(method, path) {
  return `${method} ${path.replace(/\{[^}]+\}|:\w+/g, '{}').replace(/\/$/, '')}`;
}

function quoted(text) {
  return [...text.matchAll(/'([^']*)'/g)].map(([, word]) => word);
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
