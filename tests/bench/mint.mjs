// Makes the tokens of the benchmark before it runs, with new keys.
//
//   node mint.mjs FOLDER COUNT
//
// Each line is one token, and all lines of a file have one length, so that a generator can start at
// any line. A folder with these tokens is kept if they are good for another day. Private keys are
// never written.

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

const LAYOUT = 3; // raise it when the tokens or the files change
const DAY = 86400;
const LIFETIME = 90 * DAY;
const CLIENT = "application-9";
const PROVIDERS = 10;
const KEYS_EACH = 20;
const TOKENS_EACH = 400;
const READER = "N8N.Workflow.Read";
const ROLES = [10, 1000, 10000]; // how many a token has
const TOKENS_WITH_ROLES = 5000; // more than are cached

const json = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const issuer = (number) => `https://idp-${number}.example.test/realms/main`;

/// Signs tokens of an application in the form of common providers: about 900 bytes with RS256.
class Signer {
  constructor({ alg, kid, privateKey, issuer, client, issued, roles = 1 }) {
    this.header = json({ alg, typ: "at+jwt", kid });
    this.key = privateKey;
    this.claims = {
      iss: issuer,
      aud: "api://n8n-api",
      sub: client,
      azp: client,
      client_id: client,
      tid: "72f988bf-86f1-41af-91ab-2d7cd011db47",
      oid: "11bd2cd1-2a41-4a55-9b43-c2b6f0c1c1f0",
      roles: [READER, ...Array.from({ length: roles - 1 }, (_, at) => `role-${String(at).padStart(3, "0")}`)],
      scope: "openid n8n",
      iat: issued,
      exp: issued + LIFETIME,
    };
  }

  token(number) {
    const jti = `bench-${String(number).padStart(10, "0")}`;
    const input = `${this.header}.${json({ ...this.claims, jti })}`;
    const signature = sign("sha256", Buffer.from(input), { key: this.key, dsaEncoding: "ieee-p1363" });
    return `${input}.${signature.toString("base64url")}`;
  }
}

if (!isMainThread) {
  const { from, to, ...rest } = workerData;
  const signer = new Signer(rest);
  const tokens = [];
  for (let number = from; number < to; number++) tokens.push(signer.token(number));
  parentPort.postMessage(tokens);
} else {
  const [folder, count] = [process.argv[2], Number(process.argv[3])];
  const issued = Math.floor(Date.now() / 1000) - 60;
  if (!isFresh(folder, count, issued)) await mint(folder, count, issued);
}

function isFresh(folder, count, issued) {
  const file = join(folder, "minted.json");
  if (!existsSync(file)) return false;
  const minted = JSON.parse(readFileSync(file, "utf8"));
  return minted.layout === LAYOUT && minted.count >= count && minted.expires > issued + DAY;
}

async function mint(final, count, issued) {
  const folder = `${final}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write = (name, content) => writeFileSync(join(folder, name), content);
  const keys = { RS256: pair("RS256"), ES256: pair("ES256") };
  const checks = {};
  for (const alg of ["RS256", "ES256"]) {
    const { privateKey } = keys[alg];
    const setting = { alg, kid: alg, privateKey, issuer: issuer(0), client: CLIENT, issued };
    const tokens = await inParallel(setting, alg === "RS256" ? count : Math.ceil(count / 4));
    const name = alg.toLowerCase();
    const [good, other] = tokens.map((token) => token.slice(0, token.lastIndexOf(".")));
    checks[`${name}-good`] = check(keys[alg], good, good);
    checks[`${name}-forged`] = check(keys[alg], good, other);
    write(`${name}-repeated.txt`, `${tokens[0]}\n`);
    await writeLines(join(folder, `${name}-unique.txt`), tokens);
    await writeLines(join(folder, `${name}-forged.txt`), tokens.slice(0, 20000).map(forged));
  }
  for (const roles of ROLES) {
    const { privateKey } = keys.RS256;
    const setting = { alg: "RS256", kid: "RS256", privateKey, issuer: issuer(0), client: CLIENT, issued, roles };
    // With the most roles, it is longer than any token that is read.
    const tokens = await inParallel(setting, roles === ROLES.at(-1) ? 1 : TOKENS_WITH_ROLES);
    write(`roles-${roles}-repeated.txt`, `${tokens[0]}\n`);
    if (tokens.length > 1) await writeLines(join(folder, `roles-${roles}-unique.txt`), tokens);
  }
  const many = await manyProviders(issued);
  await writeLines(join(folder, "many.txt"), many.tokens);
  write("keys.json", JSON.stringify({
    keys: [jwk(keys.RS256.publicKey, "RS256"), jwk(keys.ES256.publicKey, "ES256")],
    many: many.sets,
    checks,
  }));
  write("minted.json", JSON.stringify({ layout: LAYOUT, count, expires: issued + LIFETIME }));
  rmSync(final, { recursive: true, force: true });
  renameSync(folder, final);
}

/// The claims of one token with the signature of the next one. To refuse it costs the most.
function forged(token, at, tokens) {
  const other = tokens[(at + 1) % tokens.length];
  return token.slice(0, token.lastIndexOf(".")) + other.slice(other.lastIndexOf("."));
}

/// The arguments with which Envoy checks the signature of `signed` for `input`, in base64.
function check({ privateKey, publicKey }, input, signed) {
  const field = (number, bytes) => {
    const size = [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]; // a number below 2^14 (protobuf)
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
  };
  return Buffer.concat([
    field(1, Buffer.from("sha256")),
    field(2, publicKey.export({ type: "spki", format: "der" })),
    field(3, sign("sha256", Buffer.from(signed), privateKey)),
    field(4, Buffer.from(input)),
  ]).toString("base64");
}

/// Ten providers with twenty keys each, and four thousand of their tokens, mixed.
async function manyProviders(issued) {
  const sets = [];
  const tokens = [];
  for (let number = 0; number < PROVIDERS; number++) {
    const { privateKey, publicKey } = pair("RS256");
    const kid = "key-00";
    const unused = Array.from({ length: KEYS_EACH - 1 }, (_, at) => unusedKey(`key-${at + 1}`));
    sets.push({ issuer: issuer(number), keys: [jwk(publicKey, kid), ...unused] });
    const setting = { alg: "RS256", kid, privateKey, issuer: issuer(number), client: CLIENT, issued };
    tokens.push(await inParallel(setting, TOKENS_EACH));
  }
  return { sets, tokens: tokens[0].flatMap((_, at) => tokens.map((of) => of[at])) };
}

/// A public key without a private one: its modulus is a random odd number of 2048 bits.
function unusedKey(kid) {
  const modulus = randomBytes(256);
  modulus[0] |= 0x80;
  modulus[255] |= 1;
  return { kty: "RSA", use: "sig", alg: "RS256", kid, n: modulus.toString("base64url"), e: "AQAB" };
}

function pair(alg) {
  const made = alg === "RS256"
    ? generateKeyPairSync("rsa", { modulusLength: 2048 })
    : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const privateKey = made.privateKey.export({ type: "pkcs8", format: "pem" });
  return { privateKey, publicKey: made.publicKey };
}

function jwk(publicKey, kid) {
  const parts = publicKey.export({ format: "jwk" });
  return { ...parts, use: "sig", alg: parts.kty === "RSA" ? "RS256" : "ES256", kid };
}

async function inParallel(setting, count) {
  const parts = availableParallelism();
  const share = Math.ceil(count / parts);
  const work = Array.from({ length: parts }, (_, part) => {
    const range = { from: part * share, to: Math.min(count, (part + 1) * share) };
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { ...setting, ...range } });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  });
  return (await Promise.all(work)).flat();
}

async function writeLines(file, tokens) {
  const stream = createWriteStream(file);
  for (const token of tokens) {
    if (!stream.write(`${token}\n`)) await new Promise((resolve) => stream.once("drain", resolve));
  }
  await new Promise((resolve, reject) => stream.end((error) => (error ? reject(error) : resolve())));
}
