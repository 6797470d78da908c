// What every page looks like in both themes: `cargo xtask screens` writes the pictures that the documentation shows.
// Usage: node screens.mjs FOLDER

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, redisServer } from "./redis.mjs";
import { start } from "./site.mjs";

const SCREENS = {
  queues: "/",
  queue: "/queues/mail?state=pending",
  groups: "/queues/mail?state=aggregating",
  task: "/queues/mail/tasks/mail-003",
  edit: "/queues/mail/tasks/mail-003/edit",
  tasks: "/tasks?filter=type%3Aemail%3A*+state%3Aarchived",
  errors: "/errors",
  enqueue: "/enqueue",
  servers: "/servers",
  schedules: "/schedules",
  "schedule-new": "/schedules/new",
  charts: "/charts",
  redis: "/redis",
  doctor: "/doctor",
  runs: "/runs",
  audit: "/audit",
  settings: "/settings",
  problem: "/queues/nope",
};

/** Of a site with people who log in, and of one with two stores. */
const LOGIN = { login: "/" };
const INSTANCES = { instances: "/i/sample/instances" };
const PHONE = { "queues-phone": "/", "task-phone": "/queues/mail/tasks/mail-003" };

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 800 };

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

/** Draws these pages of a site in both themes. */
const draw = async (here, screens, viewport) => {
  for (const colorScheme of ["light", "dark"]) {
    const context = await here.browser.newContext({ colorScheme, viewport, reducedMotion: "reduce", baseURL: here.url });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    for (const [name, path] of Object.entries(screens)) {
      await page.goto(path);
      const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
      writeFileSync(join(folder, `${name}-${colorScheme}.webp`), Buffer.from(data, "base64"));
    }
    await context.close();
  }
};

/** A site of its own for as long as something is done with it. */
const visit = async (options, look) => {
  const here = await start(options);
  try {
    await look(here);
  } finally {
    await here.stop();
  }
};

const port = await freePort();
const data = mkdtempSync(join(tmpdir(), "asynq-screens-"));
const redis = await redisServer(port, data);
try {
  await visit({ redis: `redis://127.0.0.1:${port}` }, async (here) => {
    const context = await here.browser.newContext({ baseURL: here.url });
    for (const change of ["/doctor/examine", "/queues/mail/pause", "/queues/mail/resume"]) {
      const answer = await context.request.post(change, { form: { from: "" } });
      if (!answer.ok()) throw new Error(`${change}: ${answer.status()}`);
    }
    const page = await context.newPage();
    await page.goto("/schedules");
    const schedule = await page.getByRole("link", { name: "digest", exact: true }).getAttribute("href");
    // Chromium draws only the page in front.
    await context.close();
    await draw(here, { ...SCREENS, schedule }, WIDE);
    await draw(here, PHONE, NARROW);
  });
} finally {
  redis.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
await visit({ login: "login" }, (here) => draw(here, LOGIN, WIDE));
await visit({ beside: "memory" }, (here) => draw(here, INSTANCES, WIDE));
