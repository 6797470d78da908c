// Several stores in one Web UI.

import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, redisServer } from "./redis.mjs";
import { accessibility, start, visit } from "./site.mjs";

const OTHER = "/p/i/an%2Fother";

const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

test("the list of instances leads to the same place in another, with scripts and without", async () => {
  const here = await start({ prefix: "/p", beside: "memory" });
  const site = { ...here, url: new URL(here.url).origin };
  try {
    for (const javaScriptEnabled of [true, false]) {
      await visit(site, { javaScriptEnabled }, async (page) => {
        await page.goto("/p/");
        await page.waitForURL("**/p/i/sample/");
        await page.locator("header").getByRole("link", { name: "Servers" }).click();
        await page.waitForURL("**/p/i/sample/servers");
        await page.locator(".picker summary").focus();
        await page.keyboard.press("Enter");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.waitForURL(`**${OTHER}/servers`);
        await page.getByRole("heading", { name: "No server runs" }).or(page.getByText("No server runs")).first().waitFor();
        assert.match(await page.title(), /an\/other/);
        await page.goto("/p/queues/mail");
        await page.waitForURL(`**${OTHER}/queues/mail`);
        await page.locator("main").getByRole("button", { name: "Pause" }).click();
        await page.getByText("Paused: workers take nothing more").waitFor();
        assert(new URL(page.url()).pathname.startsWith(`${OTHER}/queues/mail`));
        await page.locator("main").getByRole("button", { name: "Resume" }).click();
        await page.locator(".picker summary").click();
        await page.getByRole("link", { name: "All instances" }).click();
        await page.getByRole("link", { name: "sample", exact: true }).last().click();
        await page.waitForURL("**/p/i/sample/");
      });
    }
    for (const options of Object.values(LOOKS)) {
      await visit(site, options, async (page) => {
        for (const path of ["/p/i/sample/", `${OTHER}/instances`, "/p/i/nope/"]) {
          await page.goto(path);
          await page.locator(".picker summary").click();
          assert.deepEqual(await accessibility(page), [], path);
          assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path);
        }
      });
    }
  } finally {
    await here.stop();
  }
});

test("one that goes away is told of, and the other goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "asynq-web-"));
  const port = await freePort();
  let redis = await redisServer(port, folder);
  let here;
  try {
    here = await start({ beside: `redis://127.0.0.1:${port}` });
    await visit(here, {}, async (page) => {
      await page.goto("/i/an%2Fother/queues/mail");
      const all = await page.context().newPage();
      await all.goto("/i/sample/instances");
      const row = all.locator("tr", { hasText: "an/other" });
      await row.getByText("reached").waitFor();
      redis.kill("SIGKILL");
      await once(redis, "exit");
      await page.getByText("Redis cannot be reached. What you see is as it was").waitFor();
      await row.getByText("away", { exact: true }).waitFor();
      await all.locator("header").getByRole("link", { name: "Queues" }).click();
      await all.getByRole("heading", { name: "Queues" }).waitFor();
      redis = await redisServer(port, folder);
      await page.getByText("Redis cannot be reached").waitFor({ state: "hidden" });
      await all.goto("/i/sample/instances");
      await row.getByText("reached").waitFor();
    });
  } finally {
    await here?.stop();
    redis.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
