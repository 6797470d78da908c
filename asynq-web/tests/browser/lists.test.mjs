// Lists: what a filter may be is suggested, headings sort, columns are kept, all of it is exported.

import { test } from "node:test";
import assert from "node:assert/strict";
import { accessibility, site, visit } from "./site.mjs";

const here = site();

test("a filter is written by the keyboard alone, with what is suggested", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail");
    const filter = page.getByRole("combobox", { name: "Filter" });
    await page.keyboard.press("/");
    await page.keyboard.type("sta");
    await page.getByRole("option", { name: "state" }).waitFor();
    assert.equal(await filter.getAttribute("aria-expanded"), "true");
    await page.keyboard.press("ArrowDown");
    assert.equal(await filter.getAttribute("aria-activedescendant"), "suggestion-0");
    assert.deepEqual(await accessibility(page), []);
    await page.keyboard.press("Enter");
    assert.equal(await filter.inputValue(), "state:");
    await page.getByRole("option", { name: "archived" }).waitFor();
    await page.keyboard.type("arch");
    await page.getByRole("option", { name: "active" }).waitFor({ state: "detached" });
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await filter.inputValue(), "state:archived");
    assert.equal(await filter.getAttribute("aria-expanded"), "false");
    await page.keyboard.type(" type:");
    await page.getByRole("option", { name: "email:welcome" }).click();
    await page.keyboard.press("Enter");
    await page.waitForURL("**filter=state%3Aarchived+type%3Aemail%3Awelcome");
    await page.getByText("20 tasks of").waitFor();
  });
});

test("suggestions go away, and names with blanks are quoted", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/tasks");
    const filter = page.getByRole("combobox", { name: "Filter", exact: true });
    await filter.fill("queue:odd");
    await page.getByRole("option", { name: "odd/name ?#%é" }).waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("listbox").count(), 0);
    await filter.fill("queue:od");
    await page.getByRole("option", { name: "odd/name ?#%é" }).click();
    assert.equal(await filter.inputValue(), 'queue:"odd/name ?#%é"');
    await page.locator("form.filter button").click();
    await page.getByText("1 task of").waitFor();
  });
});

for (const javaScriptEnabled of [true, false]) {
  const with_ = javaScriptEnabled ? "with" : "without";

  test(`headings sort and columns are kept ${with_} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto("/queues/mail?state=scheduled");
      const first = () => page.locator("tbody th a").first().innerText();
      // The name of a heading tells the direction once it is sorted.
      const heading = page.locator("thead a.sort", { hasText: "ID" });
      await heading.click();
      await page.locator('th[aria-sort="ascending"]').waitFor();
      assert.equal(await first(), "mail-120");
      await heading.click();
      await page.locator('th[aria-sort="descending"]').waitFor();
      assert.equal(await first(), "mail-129");
      await page.locator("summary", { hasText: "Columns" }).click();
      await page.getByLabel("Headers").check();
      await page.getByRole("button", { name: "Keep them for all lists" }).click();
      await page.getByText("Settings saved").waitFor();
      await page.goto("/tasks");
      await page.locator("td.c-headers").first().waitFor();
      await page.locator("summary", { hasText: "Columns" }).click();
      await page.getByRole("button", { name: "As fits each state" }).click();
      await page.getByText("Settings saved").waitFor();
      assert.equal(await page.locator("td.c-headers").count(), 0);
    });
  });
}

test("a task is selected and archived by the keyboard alone", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=pending");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText("1 selected:").waitFor();
    await page.locator(".toolbar > button", { hasText: "Archive" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Archive 1 task?" }).waitFor();
    await page.getByRole("button", { name: "Archive 1 task" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("1 task archived.").waitFor();
  });
});

test("what fails of many is listed", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?filter=id:mail-040,mail-125");
    await page.getByLabel("Select mail-040").check();
    await page.getByLabel("Select mail-125").check();
    await page.locator(".toolbar > button", { hasText: "Run now" }).click();
    await page.locator("main").getByRole("button", { name: "Run now 2 tasks" }).click();
    await page.getByText("done, some failed").waitFor();
    await page.getByRole("cell", { name: "it will run as soon as a worker is free" }).waitFor();
  });
});

test("all of a list is downloaded", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=archived");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "CSV" }).click();
    assert.equal((await download).suggestedFilename(), "tasks.csv");
  });
});
