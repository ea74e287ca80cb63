// Draws docs/dashboard.svg: the panels of deploy/grafana/dashboard.json, with the values that a real
// Prometheus has after it has read a real Envoy with the gate for three minutes. n8n and the provider are
// stand-ins in this process. The drawing is this script's, not Grafana's.
//
//   make wasm envoy observers && node scripts/dashboard-picture.mjs [SECONDS]
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const seconds = Number(process.argv[2] ?? 180);
const folder = mkdtempSync(join(tmpdir(), "dashboard-"));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const port = () =>
  new Promise((done) => {
    const server = createTcpServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
const ports = { gate: await port(), admin: await port(), prometheus: await port() };
const local = (handler) =>
  new Promise((done) => {
    const server = createServer(handler).listen(0, "127.0.0.1", () => done(server));
  });
const children = [];
const start = (program, args, env = {}) => {
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  children.push(child);
  return child;
};

// The provider, which is down for a while, and n8n, which refuses API keys for a while.
const key = generateKeyPairSync("rsa", { modulusLength: 2048 });
let providerIsUp = true;
let refusesKeys = false;
const provider = await local((req, res) => {
  if (!providerIsUp) return req.socket.destroy();
  const issuer = `http://127.0.0.1:${provider.address().port}`;
  const jwk = { ...key.publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" };
  const body = req.url === "/jwks" ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` };
  res.writeHead(200, { "content-type": "application/json", "cache-control": "max-age=5" });
  res.end(JSON.stringify(body));
});
const issuer = `http://127.0.0.1:${provider.address().port}`;
const n8n = await local((req, res) => {
  const refused = refusesKeys && req.headers["x-n8n-api-key"];
  setTimeout(() => res.writeHead(refused ? 401 : 200).end("{}"), 2 + 40 * Math.random() ** 4);
});
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (client, roles, lifetime = 600) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: "api://n8n-api", sub: client, client_id: client, roles, iat: now, exp: now + lifetime };
  const text = `${encoded({ alg: "RS256", typ: "at+jwt", kid: "one" })}.${encoded({ ...claims, jti: randomUUID() })}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key.privateKey).toString("base64url")}`;
};

const file = readFileSync("envoy.yaml", "utf8");
const edits = [
  [/127\.0\.0\.1, port_value: 9901/, `127.0.0.1, port_value: ${ports.admin}`],
  [/127\.0\.0\.1, port_value: 8080/, `127.0.0.1, port_value: ${ports.gate}`],
  [/127\.0\.0\.1, port_value: 5678/, `127.0.0.1, port_value: ${n8n.address().port}`],
  [/127\.0\.0\.1, port_value: 9000/, `127.0.0.1, port_value: ${provider.address().port}`],
  [/issuer: http:\/\/127\.0\.0\.1:9000/, `issuer: ${issuer}`],
  [/( +)cluster: provider\n/, "$1cluster: provider\n$1keys: { ttl: 5s, min_ttl: 5s, max_ttl: 5s, discovery_ttl: 5s }\n"],
  [/user: \{ per: client \}/, "api_key: { env: N8N_KEY }"],
  [/host_env_keys: \[/, "host_env_keys: [N8N_KEY, "],
  // The next policy refuses static API keys, and one application is shut out.
  [/( +)public_api: \{ api_keys: pass \}\n/, "$&$1shadow: { public_api: { api_keys: refuse } }\n$1revoked: [{ client: app-gone }]\n"],
];
const edited = edits.reduce((text, [from, to]) => {
  if (!from.test(text)) throw new Error(`envoy.yaml has no ${from}`);
  return text.replace(from, to);
}, file);
writeFileSync(join(folder, "envoy.yaml"), edited);
const expiry = Math.floor(Date.now() / 1000) + 9 * 24 * 3600;
const apiKey = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded({ iss: "n8n", sub: "u", aud: "public-api", exp: expiry })}.${"A".repeat(43)}`;
const scrape = `global: { scrape_interval: 1s }
scrape_configs:
  - { job_name: envoy, metrics_path: /stats/prometheus, static_configs: [{ targets: ["127.0.0.1:${ports.admin}"] }] }
`;
writeFileSync(join(folder, "prometheus.yaml"), scrape);

const send = (path, headers = {}) =>
  new Promise((done) => {
    const req = request({ port: ports.gate, host: "127.0.0.1", path, headers }, (res) => res.resume().on("end", () => done(res.statusCode)));
    req.on("error", () => done(0)).end();
  });
const get = async (url) => (await fetch(url)).json();

try {
  start(".local/bin/envoy", ["-c", join(folder, "envoy.yaml"), "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"], {
    N8N_PROVISIONING_KEY: "key-for-provisioning", N8N_GATE_SEED: "a".repeat(64), N8N_KEY: apiKey,
  });
  start(".local/observers/usr/bin/prometheus", [
    `--config.file=${folder}/prometheus.yaml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${ports.prometheus}`,
  ]);
  for (let tries = 0; (await send("/healthz")) === 0; tries += 1) {
    if (tries > 300) throw new Error("Envoy does not serve");
    await sleep(200);
  }
  const begin = Date.now();
  const at = () => (Date.now() - begin) / 1000 / seconds;
  const good = [token("app-a", ["N8N.Workflow.Read"]), token("app-b", ["N8N.Workflow.Read"])];
  while (at() < 1) {
    providerIsUp = at() < 0.35 || at() > 0.6;
    refusesKeys = at() > 0.75 && at() < 0.8;
    const bearer = (text) => ({ authorization: `Bearer ${text}` });
    const rest = Math.random();
    const flood = at() > 0.5 && at() < 0.58 ? 12 : 0;
    await Promise.all([
      ...[1, 2, 3, 4].map((number) => send("/api/v1/workflows", bearer(good[number % 2]))),
      send("/api/v1/workflows", bearer(token("app-a", ["N8N.Workflow.Read"]))),
      send("/webhook/open"), send("/home"), send("/webhook/orders/7", bearer(good[0])),
      rest < 0.3 ? send("/api/v1/workflows") : undefined,
      rest < 0.2 ? send("/api/v1/workflows", bearer(token("app-b", []))) : undefined,
      rest < 0.4 ? send("/api/v1/workflows", { "x-n8n-api-key": "static" }) : undefined,
      rest < 0.1 && at() > 0.4 ? send("/api/v1/workflows", bearer(token("app-gone", ["N8N.Workflow.Read"]))) : undefined,
      rest < 0.1 ? send("/api/v1/workflows", bearer(token("app-z", ["N8N.Workflow.Read"]))) : undefined,
      ...Array.from({ length: flood }, () => send("/api/v1/workflows", bearer(`${good[0]}x`))),
    ]);
    await sleep(80 + 60 * Math.sin(20 * at()));
  }
  await sleep(1500);
  const end = Math.floor(Date.now() / 1000) - 1;
  const dashboard = JSON.parse(readFileSync("deploy/grafana/dashboard.json", "utf8"));
  const series = async (target) => {
    const values = { $__rate_interval: "10s", $job: ".*", $instance: ".*", $cluster: "n8n" };
    const query = Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), target.expr);
    const range = new URLSearchParams({ query, start: end - seconds + 10, end, step: 2 });
    const answer = await get(`http://127.0.0.1:${ports.prometheus}/api/v1/query_range?${range}`);
    if (answer.status !== "success") throw new Error(`${query}: ${JSON.stringify(answer)}`);
    return answer.data.result.map(({ metric, values: points }) => ({
      name: target.legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => (label === "instance" ? "envoy-1" : metric[label] ?? "")).trim(),
      points: points.map(([time, value]) => [time, Number(value)]).filter(([, value]) => Number.isFinite(value)),
    }));
  };
  const panels = [];
  for (const panel of dashboard.panels) {
    const lines = [];
    for (const target of panel.targets ?? []) lines.push(...(await series(target)));
    panels.push({ panel, lines });
  }
  writeFileSync("docs/dashboard.svg", drawn(panels, end - seconds + 10, end));
} finally {
  for (const child of children) child.kill("SIGKILL");
  provider.close();
  n8n.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

function drawn(panels, from, to) {
  const colours = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0"];
  const safe = (text) => text.replace(/[<>&]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const [column, line] = [50, 30];
  const shown = (value, unit) => {
    const number = (value) => (value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));
    if (unit === "percentunit") return `${Math.round(100 * value)} %`;
    if (unit === "s") return value >= 172800 ? `${number(value / 86400)} d` : `${number(value)} s`;
    return `${number(value)}${{ reqps: "/s", ms: " ms" }[unit] ?? ""}`;
  };
  const parts = panels.map(({ panel, lines }) => {
    const { x, y, w, h } = panel.gridPos;
    const [left, top, width, height] = [x * column + 4, y * line + 4, w * column - 8, h * line - 8];
    if (panel.type === "row") return `<text x="${left}" y="${top + 17}" class="row">${safe(panel.title)}</text>`;
    const { unit, custom } = panel.fieldConfig.defaults;
    const sums = new Map();
    const stacked = custom.stacking.mode === "normal";
    const curves = lines.map(({ name, points }) => ({
      name,
      points: points.map(([time, value]) => {
        if (stacked) sums.set(time, (sums.get(time) ?? 0) + value);
        return [time, stacked ? sums.get(time) : value];
      }),
    }));
    const most = unit === "percentunit" ? 1 : Math.max(1e-9, ...curves.flatMap(({ points }) => points.map(([, value]) => value)));
    const top0 = most === 1e-9 ? 1 : most * (unit === "percentunit" ? 1 : 1.1);
    const plot = { left: left + 52, top: top + 30, width: width - 62, height: height - 90 };
    const across = (time) => (plot.left + (plot.width * (time - from)) / (to - from)).toFixed(1);
    const down = (value) => (plot.top + plot.height * (1 - value / top0)).toFixed(1);
    const grid = [0, 0.5, 1].map((part) => {
      const y = down(top0 * part);
      return `<path d="M${plot.left} ${y}h${plot.width}" class="grid"/><text x="${plot.left - 5}" y="${Number(y) + 4}" class="scale">${shown(top0 * part, unit)}</text>`;
    });
    const drawnCurves = curves.map(({ points }, number) => {
      const path = points.map(([time, value], index) => `${index ? "L" : "M"}${across(time)} ${down(value)}`).join("");
      return path && `<path d="${path}" stroke="${colours[number % colours.length]}" class="curve"/>`;
    });
    let [at, row] = [left + 10, top + height - 38];
    const legend = curves.map(({ name }, number) => {
      const room = 26 + 5.8 * name.length;
      if (at + room > left + width) [at, row] = [left + 10, row + 13];
      const text = `<rect x="${at}" y="${row - 4}" width="9" height="3" fill="${colours[number % colours.length]}"/><text x="${at + 12}" y="${row}" class="legend">${safe(name)}</text>`;
      at += room;
      return text;
    });
    const empty = curves.length ? "" : `<text x="${left + width / 2}" y="${top + height / 2}" class="none">no data: it did not happen</text>`;
    return `<rect x="${left}" y="${top}" width="${width}" height="${height}" class="panel"/><text x="${left + 8}" y="${top + 17}" class="title">${safe(panel.title)}</text>${grid.join("")}${drawnCurves.join("")}${legend.join("")}${empty}`;
  });
  const height = Math.max(...panels.map(({ panel }) => panel.gridPos.y + panel.gridPos.h)) * line + 4;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1204 ${height}" font-family="sans-serif" font-size="11">
<title>The dashboard's panels, drawn by scripts/dashboard-picture.mjs</title>
<style>.row{font-size:14px;font-weight:bold;fill:#333}.panel{fill:#fff;stroke:#ccc}.title{font-size:12px;font-weight:bold;fill:#333}.grid{stroke:#eee}.scale{text-anchor:end;fill:#666}.legend{fill:#333;font-size:10px}.curve{fill:none;stroke-width:1.5}.none{text-anchor:middle;fill:#999}</style>
<rect width="1204" height="${height}" fill="#f7f7f7"/>
${parts.join("\n")}
</svg>
`;
}
