// Below a path of a server, and on a Redis that goes away while pages are open.

import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, redisServer } from "./redis.mjs";
import { start, visit } from "./site.mjs";

test("below a path all links, forms and scripts work", async () => {
  const here = await start({ prefix: "/a/b" });
  const at = (path) => `/a/b${path}`;
  const site = { ...here, url: new URL(here.url).origin };
  try {
    await visit(site, {}, async (page) => {
      await page.goto(at(""));
      await page.getByRole("link", { name: "mail", exact: true }).click();
      await page.waitForURL(`**${at("/queues/mail")}`);
      await page.getByRole("link", { name: /^pending/ }).click();
      await page.getByLabel("Select mail-001").check();
      await page.locator(".toolbar > button", { hasText: "Archive" }).click();
      await page.locator("main").getByRole("button", { name: "Archive 1 task" }).click();
      await page.getByText("1 task archived.").waitFor();
      assert(new URL(page.url()).pathname.startsWith("/a/b/"));
      await page.getByRole("combobox", { name: "Filter", exact: true }).pressSequentially("state:ar");
      await page.getByRole("option", { name: "archived" }).waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      await page.keyboard.press("g");
      await page.keyboard.press("d");
      await page.waitForURL(`**${at("/doctor")}`);
    });
  } finally {
    await here.stop();
  }
});

test("an open page says that Redis is away, and goes on when it is back", async () => {
  const folder = mkdtempSync(join(tmpdir(), "asynq-web-"));
  const port = await freePort();
  let redis = await redisServer(port, folder);
  let here;
  try {
    here = await start({ redis: `redis://127.0.0.1:${port}` });
    await visit(here, {}, async (page) => {
      await page.goto("/queues/mail?state=archived");
      await page.getByLabel("Select mail-101").check();
      redis.kill("SIGKILL");
      await once(redis, "exit");
      await page.getByText("Redis cannot be reached. What you see is as it was").waitFor();
      const other = await page.context().newPage();
      await other.goto("/");
      await other.getByRole("heading", { name: "Redis is away" }).waitFor();
      redis = await redisServer(port, folder);
      await page.getByText("Redis cannot be reached").waitFor({ state: "hidden" });
      assert(await page.getByLabel("Select mail-101").isChecked());
      await other.getByRole("heading", { name: "Queues" }).waitFor();
    });
  } finally {
    await here?.stop();
    redis.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
