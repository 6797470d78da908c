// Open pages are kept up to date, and nothing that somebody does is lost by it.

import { test } from "node:test";
import assert from "node:assert/strict";
import { site, visit } from "./site.mjs";

const here = site();

const send = (page, path, form) => page.context().request.post(path, { form, maxRedirects: 0 });

const archive = (page, id) => send(page, "/tasks/act", { action: "archive", task: `4.mail${id}` });

test("a task that leaves goes from the table; selection, place and open parts stay", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=pending");
    await page.getByLabel("Select mail-020").check();
    await page.locator("summary", { hasText: "Columns" }).click();
    await page.evaluate(() => scrollTo(0, 300));
    const row = await page.$('tr[data-key="4.mailmail-020"]');
    await archive(page, "mail-021");
    await page.locator('tr[data-key="4.mailmail-021"]').waitFor({ state: "detached" });
    assert(await page.getByLabel("Select mail-020").isChecked());
    assert(await row.evaluate((element) => element.isConnected), "the row is still the same one");
    assert.equal(await page.evaluate(() => scrollY), 300);
    assert(await page.locator("details.columns").evaluate((element) => element.open));
    await page.getByText("1 selected:").waitFor();
  });
});

test("what is typed stays", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=pending");
    await page.getByLabel("Filter").fill("type:em");
    await archive(page, "mail-022");
    await page.locator('tr[data-key="4.mailmail-022"]').waitFor({ state: "detached" });
    assert.equal(await page.getByLabel("Filter").inputValue(), "type:em");
  });
});

test("what is suggested stays, and so does which of it is chosen", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=pending");
    const filter = page.getByRole("combobox", { name: "Filter" });
    await filter.fill("type:");
    await page.getByRole("option", { name: "email:welcome" }).waitFor();
    await page.keyboard.press("ArrowDown");
    assert.equal(await filter.getAttribute("aria-activedescendant"), "suggestion-0");
    await archive(page, "mail-026");
    await page.locator('tr[data-key="4.mailmail-026"]').waitFor({ state: "detached" });
    assert.equal(await filter.getAttribute("aria-expanded"), "true");
    assert.equal(await filter.getAttribute("aria-activedescendant"), "suggestion-0");
  });
});

test("paused, a page stays as it is; then it goes on", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=pending");
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Paused" }).waitFor();
    await archive(page, "mail-023");
    const other = await page.context().newPage();
    await other.goto("/queues/mail?state=pending");
    await other.getByLabel("Select mail-024").waitFor();
    assert.equal(await other.getByLabel("Select mail-023").count(), 0);
    assert.equal(await page.getByLabel("Select mail-023").count(), 1);
    await page.bringToFront();
    await page.getByRole("button", { name: "Paused" }).click();
    await page.locator('tr[data-key="4.mailmail-023"]').waitFor({ state: "detached" });
  });
});

test("keys lead through a table and between pages", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=scheduled");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    assert.equal(await page.locator("tbody :checked").count(), 1);
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "filter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.waitForURL("**/schedules");
  });
});

test("a worker's tasks are shown, cancelled, and gone", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/servers");
    // A quick one could be gone by now.
    const slow = page.getByRole("row").filter({ hasText: "slow" }).first();
    await slow.getByRole("link", { name: /^[0-9a-f-]{36}$/ }).click();
    await page.getByText("active").first().waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator("main").getByRole("button", { name: "Cancel 1 task" }).click();
    await page.getByText("1 task asked to stop.").waitFor();
  });
});
