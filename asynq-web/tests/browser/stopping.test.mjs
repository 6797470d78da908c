// A change to many tasks is stopped while it goes on, and tells how far it came. Its Redis stands still meanwhile, so that
// there is time to see it.

import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, redisServer } from "./redis.mjs";
import { start, visit } from "./site.mjs";

const MANY = 20_000;

for (const javaScriptEnabled of [true, false]) {
  const with_ = javaScriptEnabled ? "with" : "without";

  test(`a change to many tasks is stopped, and tells how far it came, ${with_} scripts`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "asynq-web-"));
    const port = await freePort();
    const redis = await redisServer(port, folder);
    let here;
    try {
      here = await start({ redis: `redis://127.0.0.1:${port}`, many: String(MANY) });
      await visit(here, { javaScriptEnabled }, async (page) => {
        const ask = async (path) => (await page.request.get(`/api/v1${path}`)).json();
        await page.goto("/queues/many?state=pending");
        await page.locator(".toolbar details.menu summary").click();
        await page.locator(".menu .list button", { hasText: "Archive" }).click();
        await page.getByRole("heading", { name: `Archive ${MANY.toLocaleString("en")} tasks?` }).waitFor();
        const begun = page.locator("main").getByRole("button", { name: /^Archive/ }).click();
        const changed = async () => (await ask("/runs")).items[0]?.changed ?? 0;
        while ((await changed()) === 0) continue;
        redis.kill("SIGSTOP");
        await begun;
        await page.waitForURL("**/runs/*");
        await page.getByText("going on").waitFor();
        const sent = page.waitForRequest("**/stop");
        const stopped = page.getByRole("button", { name: "Stop" }).click();
        // It is noted in Redis who stopped it: that waits until Redis goes on.
        await sent;
        redis.kill("SIGCONT");
        await stopped;
        await page.getByText("stopped", { exact: true }).waitFor();
        const [run] = (await ask("/runs")).items;
        assert.equal(run.state, "stopped");
        assert(run.changed > 0 && run.changed < MANY, `${run.changed} of ${MANY}`);
        await page.locator(".figures").getByText(run.changed.toLocaleString("en"), { exact: true }).waitFor();
        const queue = await ask("/queues/many");
        assert.equal(queue.archived, run.changed);
        assert.equal(queue.archived + queue.pending, MANY);
        assert.equal(await page.getByRole("button", { name: "Stop" }).count(), 0);
      });
    } finally {
      redis.kill("SIGCONT");
      await here?.stop();
      redis.kill("SIGKILL");
      if (redis.exitCode === null && redis.signalCode === null) await once(redis, "exit");
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
