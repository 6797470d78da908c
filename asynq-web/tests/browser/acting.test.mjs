// What is done by clicking: with scripts, and with none.

import { test } from "node:test";
import assert from "node:assert/strict";
import { site, visit } from "./site.mjs";

const here = site();

const confirm = (page, name) => page.locator("main").getByRole("button", { name }).click();

for (const javaScriptEnabled of [true, false]) {
  const prefix = javaScriptEnabled ? "with" : "without";
  const first = javaScriptEnabled ? 0 : 50;
  const id = (n) => `mail-${String(first + n).padStart(3, "0")}`;

  test(`tasks are selected, archived and run again ${prefix} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto(`/queues/mail?state=pending&filter=id:${id(1)},${id(2)}`);
      await page.getByLabel(`Select ${id(1)}`).check();
      await page.getByLabel(`Select ${id(2)}`).check();
      await page.locator(".toolbar > button", { hasText: "Archive" }).click();
      await page.getByRole("heading", { name: "Archive 2 tasks?" }).waitFor();
      await confirm(page, "Archive 2 tasks");
      await page.getByText("2 tasks archived.").waitFor();

      await page.goto(`/queues/mail/tasks/${id(1)}`);
      await page.getByRole("button", { name: "Run now" }).click();
      await confirm(page, "Run now 1 task");
      await page.getByText("1 task made pending.").waitFor();
    });
  });

  test(`all that fit a filter are deleted ${prefix} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto("/tasks");
      await page.getByLabel("Filter").fill(`id:${id(10)},${id(11)},${id(12)}`);
      await page.locator("form.filter button").click();
      await page.locator(".toolbar details.menu summary").click();
      await page.locator(".menu button", { hasText: "Delete" }).click();
      await page.getByRole("heading", { name: "Delete 3 tasks?" }).waitFor();
      await confirm(page, "Delete 3 tasks");
      await page.getByText("3 tasks deleted.").waitFor();
      await page.getByText("No task fits").waitFor();
    });
  });

  test(`a queue is paused and resumed ${prefix} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto("/");
      await page.getByRole("button", { name: "Pause queue work" }).click();
      await page.getByText("Paused: workers take nothing more").waitFor();
      await page.getByRole("button", { name: "Resume queue work" }).click();
      await page.getByText("Resumed.").waitFor();
    });
  });

  test(`a task is enqueued, edited and duplicated ${prefix} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto("/enqueue");
      await page.getByLabel("Queue", { exact: true }).fill("mine");
      await page.getByLabel("Type").fill("note");
      await page.getByLabel("Payload").fill("\n{\"n\":1}\nend");
      await page.getByLabel("When").fill("2h");
      await page.locator("main").getByRole("button", { name: "Enqueue" }).click();
      await page.getByText("Enqueued.", { exact: true }).waitFor();
      await page.getByRole("link", { name: "Edit" }).click();
      assert.equal(await page.getByLabel("Payload").inputValue(), "\n{\"n\":1}\nend");
      await page.getByLabel("Payload").fill("{\"n\":2}");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Saved.").waitFor();
      await page.getByRole("link", { name: "Duplicate" }).click();
      assert.equal(await page.getByLabel("Payload").inputValue(), "{\"n\":2}");
    });
  });
}

test("a queue is deleted when its name is typed", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/odd%2Fname%20%3F%23%25%C3%A9");
    await page.getByRole("link", { name: "Delete" }).click();
    await page.getByLabel("Type its name").fill("odd/name ?#%é");
    await page.getByRole("button", { name: "Delete the queue" }).click();
    await page.getByText("Queue deleted.").waitFor();
  });
});

test("schedules run now, and runs that fail in part say so", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/schedules");
    await page.getByText("at 04:30, Monday to Friday").waitFor();
    await page.getByRole("link", { name: "report:nightly" }).click();
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByText("Enqueued.", { exact: true }).waitFor();
  });
});
