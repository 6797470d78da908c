// The sample site, and a browser that looks at it. What a page may not do fails the test that looks at it: an error in a
// script, a violation of the content policy, a request to somebody else.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the sample site, below a path, on a Redis, with people who log in, with many tasks and with a second store if
 * that is said, and a browser. */
export const start = async ({ prefix = "/", redis = "", login = "", many = "0", beside = "" } = {}) => {
  const program = process.env.ASYNQ_WEB_SAMPLE;
  assert(program, "ASYNQ_WEB_SAMPLE must name the program of the sample site; `cargo xtask test` builds it");
  const more = beside ? [beside] : [];
  const child = spawn(program, ["0", prefix, redis, login, many, ...more], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const executablePath = process.env.ASYNQ_CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const stop = async () => {
    await browser.close();
    child.kill("SIGINT");
  };
  return { url: line.replace(/\/$/, ""), browser, stop };
};

/** A site and a browser for the tests of a file. */
export const site = (options) => {
  const here = {};
  before(async () => Object.assign(here, await start(options)));
  after(() => here.stop?.());
  return here;
};

/** Runs `look` on a page of a browser of its own, and then asks whether the page did anything that it may not. */
export const visit = async (here, options, look) => {
  const wrong = [];
  const context = await here.browser.newContext({ reducedMotion: "reduce", baseURL: here.url, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const isStatus = message.text().startsWith("Failed to load resource: the server responded");
    if (message.type() === "error" && !isStatus) wrong.push(`console: ${message.text()}`);
  });
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(here.url)) return route.continue();
    wrong.push(`a request to ${url}`);
    return route.abort();
  });
  try {
    await look(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
};

/** What axe finds on a page, WCAG 2.2 AA. It comes in by the debugger, so the page's policy stays as it is. */
export const accessibility = async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
      .then((found) => found.violations.map((one) =>
        one.id + ": " + one.nodes.map((node) => node.target + " " + node.failureSummary).join("; ")))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return result.value;
};

export const PAGES = [
  "/",
  "/?name=zzz",
  "/?by=prefix&open=report%3A",
  "/queues/mail",
  "/queues/mail?state=archived",
  "/queues/mail?state=aggregating",
  "/queues/mail?state=scheduled&sort=due&order=desc",
  "/queues/mail?state=pending&sort=payload&order=asc&size=10",
  "/tasks?filter=mail-003",
  "/queues/mail?state=completed",
  "/queues/mail/tasks/mail-003",
  "/queues/mail/tasks/mail-003?as=base64",
  "/queues/report%3Adaily/tasks/packed",
  "/queues/report%3Adaily/tasks/packed?as=text",
  "/queues/odd%2Fname%20%3F%23%25%C3%A9",
  "/queues/odd%2Fname%20%3F%23%25%C3%A9/tasks/a%2Fb%20%3F%23%25%C3%A9",
  "/queues/mail/tasks/mail-003/edit",
  "/queues/mail/delete",
  "/queues/nope",
  "/tasks",
  "/tasks?filter=tipe%3Ax",
  "/charts",
  "/charts?range=15m",
  "/charts?range=30d",
  "/charts?queue=quick&range=48h",
  "/charts?range=odd",
  "/errors",
  "/errors?queue=work&state=all",
  "/servers",
  "/schedules/new",
  "/schedules",
  "/redis",
  "/doctor",
  "/runs",
  "/instances",
  "/audit",
  "/enqueue",
  "/settings",
  "/nope",
];
