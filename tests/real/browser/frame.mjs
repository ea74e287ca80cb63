// Shows an address in a frame of a page of another site, in Chromium, and prints what the frame sees.
//
// node frame.mjs CHROMIUM FOLDER PORT ADDRESS
//
// The page is at http://localhost:PORT. To a browser, 127.0.0.1 is another site.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const [chromium, folder, port, address] = process.argv.slice(2);
const LONGEST = 90_000;

const page = (frame) => `<!doctype html><title>portal</title><iframe src="${frame}"
  style="width:1200px;height:800px"></iframe>`;

// Cookies of another site: one that is stored apart for each page, and one that is not.
const other = createServer((request, response) => {
  if (request.url === "/set") {
    response.setHeader("set-cookie", [
      "of_all_pages=1; Path=/; Secure; SameSite=None",
      "stored_apart=1; Path=/; Secure; SameSite=None; Partitioned",
    ]);
    response.writeHead(302, { location: "/show" }).end();
  } else {
    response.end(request.headers.cookie ?? "none");
  }
});
await new Promise((done) => other.listen(0, "127.0.0.1", done));

const portal = createServer((request, response) => {
  const frame =
    request.url === "/other" ? `http://127.0.0.1:${other.address().port}/set` : address;
  response.setHeader("content-type", "text/html").end(page(frame));
});
await new Promise((done) => portal.listen(Number(port), "localhost", done));

const browser = spawn(
  chromium,
  [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--test-third-party-cookie-phaseout",
    "--remote-debugging-port=0",
    `--user-data-dir=${folder}`,
    "about:blank",
  ],
  { stdio: "ignore" },
);

let socket;
const stop = (code) => {
  browser.kill("SIGKILL");
  process.exit(code);
};
// What the frames showed last.
let state = "no frame";
const limit = globalThis.setTimeout(() => {
  console.error(`it takes too long: ${state}`);
  stop(1);
}, LONGEST);

try {
  const file = join(folder, "DevToolsActivePort");
  while (!existsSync(file) || !readFileSync(file, "utf8").includes("\n")) await wait(50);
  const [debugging, path] = readFileSync(file, "utf8").split("\n");
  socket = new WebSocket(`ws://127.0.0.1:${debugging}${path}`);
  await new Promise((done, fail) => {
    socket.onopen = done;
    socket.onerror = () => fail(new Error("no connection to Chromium"));
  });
  let last = 0;
  const pending = new Map();
  const frames = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.method === "Target.attachedToTarget") {
      const { sessionId, targetInfo } = message.params;
      if (targetInfo.type === "iframe") frames.push(sessionId);
    }
    const done = pending.get(message.id);
    if (done) {
      pending.delete(message.id);
      done(message);
    }
  };
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((done) => {
      last += 1;
      pending.set(last, done);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });
  const evaluate = async (sessionId, expression) => {
    const found = await send(
      "Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true },
      sessionId,
    );
    return found.result?.result?.value;
  };
  // The frame of a page, once its condition holds.
  const show = async (url, ready) => {
    const { result } = await send("Target.createTarget", { url: "about:blank" });
    const attached = await send("Target.attachToTarget", {
      targetId: result.targetId,
      flatten: true,
    });
    const session = attached.result.sessionId;
    frames.length = 0;
    await send(
      "Target.setAutoAttach",
      { autoAttach: true, waitForDebuggerOnStart: false, flatten: true },
      session,
    );
    await send("Page.navigate", { url }, session);
    for (;;) {
      for (const frame of frames) {
        state = await evaluate(frame, "location.href + ' ' + document.body?.innerText.slice(0, 300)");
        if (await evaluate(frame, ready)) return frame;
      }
      await wait(200);
    }
  };

  const shown = await show(
    `http://localhost:${port}/other`,
    "location.pathname === '/show' && document.readyState === 'complete'",
  );
  const blocked = await evaluate(shown, "document.body.innerText");
  const editor = await show(
    `http://localhost:${port}/`,
    "location.pathname.startsWith('/home') && document.body.innerText.trim().length > 40",
  );
  const seen = await evaluate(
    editor,
    `(async () => {
      const response = await fetch("/rest/login");
      const { data } = await response.json();
      return { status: response.status, user: data, path: location.pathname,
        framed: window.top !== window, text: document.body.innerText.slice(0, 2000) };
    })()`,
  );
  console.log(JSON.stringify({ blocked, ...seen }));
  clearTimeout(limit);
  stop(0);
} catch (error) {
  console.error(error);
  stop(1);
}
