// What every page looks like in both themes: `cargo xtask screens` writes the pictures that the documentation shows.
// Usage: node screens.mjs FOLDER

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { start } from "./site.mjs";

const SCREENS = {
  queues: "/",
  queue: "/queues/mail?state=pending",
  groups: "/queues/mail?state=aggregating",
  task: "/queues/mail/tasks/mail-003",
  edit: "/queues/mail/tasks/mail-003/edit",
  tasks: "/tasks?filter=type%3Aemail%3A*+state%3Aarchived",
  enqueue: "/enqueue",
  servers: "/servers",
  schedules: "/schedules",
  redis: "/redis",
  doctor: "/doctor",
  runs: "/runs",
  settings: "/settings",
  problem: "/queues/nope",
};

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const here = await start();
try {
  for (const colorScheme of ["light", "dark"]) {
    const viewport = { width: 1280, height: 800 };
    const context = await here.browser.newContext({ colorScheme, viewport, reducedMotion: "reduce", baseURL: here.url });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await context.request.post("/doctor/examine");
    for (const [name, path] of Object.entries(SCREENS)) {
      await page.goto(path);
      const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
      writeFileSync(join(folder, `${name}-${colorScheme}.webp`), Buffer.from(data, "base64"));
    }
    await context.close();
  }
} finally {
  await here.stop();
}
