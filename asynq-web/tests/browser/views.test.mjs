// What makes somebody quick: the command palette, saved views, queues by prefix, forms of a payload.

import { test } from "node:test";
import assert from "node:assert/strict";
import { accessibility, site, visit } from "./site.mjs";

const here = site();

test("the palette leads to pages, queues and tasks by the keyboard alone", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/settings");
    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox", { name: "Go to" });
    await page.getByRole("dialog", { name: "Go to" }).waitFor();
    assert(await field.evaluate((input) => input === document.activeElement));
    assert.deepEqual(await accessibility(page), []);
    await page.keyboard.type("serv");
    await page.getByRole("option", { name: "Servers" }).waitFor();
    assert.equal(await field.getAttribute("aria-activedescendant"), "place-0");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/servers");

    await page.keyboard.press(":");
    await page.keyboard.type("odd/na");
    const queue = page.getByRole("option", { name: "odd/name ?#%é" });
    await queue.waitFor();
    assert.equal(await queue.getAttribute("aria-selected"), "true");
    await page.keyboard.press("ArrowDown");
    assert.equal(await queue.getAttribute("aria-selected"), "false");
    await page.keyboard.press("ArrowUp");
    assert.deepEqual(await accessibility(page), []);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/queues/odd%2Fname%20%3F%23%25%C3%A9");

    await page.keyboard.press(":");
    await page.keyboard.type("mail-003");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/tasks?filter=mail-003");
    await page.getByRole("heading", { name: "With this ID" }).waitFor();
  });
});

test("the palette closes, and keys of the page do nothing in it", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/queues/mail?state=scheduled");
    await page.keyboard.press(":");
    await page.keyboard.type("gcx");
    await page.getByRole("option", { name: "Find “gcx”" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assert.equal(await page.locator("tbody :checked").count(), 0);
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.mouse.click(5, 5);
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    // In a field a colon is a colon.
    await page.keyboard.press("/");
    await page.keyboard.type("state:");
    assert.equal(await page.getByRole("dialog").count(), 0);
  });
});

for (const javaScriptEnabled of [true, false]) {
  const with_ = javaScriptEnabled ? "with" : "without";

  test(`a list is saved, opened, renamed and deleted ${with_} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto("/queues/mail?state=archived&filter=type%3Aemail%3A*&sort=error&order=asc");
      await page.locator("summary", { hasText: "Save view" }).click();
      await page.getByLabel("Name of this view").fill("Lost mail");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("The view is saved in this browser.").waitFor();
      await page.goto("/tasks");
      await page.getByRole("link", { name: "Lost mail" }).click();
      await page.waitForURL((url) => url.search === "?state=archived&filter=type%3Aemail%3A%2A&sort=error&order=asc");
      assert.equal(await page.getByRole("link", { name: "Lost mail" }).getAttribute("aria-current"), "true");
      assert.deepEqual(javaScriptEnabled ? await accessibility(page) : [], []);
      if (javaScriptEnabled) {
        await page.keyboard.press(":");
        await page.keyboard.type("lost");
        await page.getByRole("option", { name: "Lost mail" }).waitFor();
        await page.keyboard.press("Escape");
      }
      await page.goto("/settings");
      await page.getByLabel("Name of view Lost mail").fill("Found mail");
      await page.getByRole("button", { name: "Rename view Lost mail" }).click();
      await page.getByLabel("Name of view Found mail").waitFor();
      assert.deepEqual(javaScriptEnabled ? await accessibility(page) : [], []);
      await page.getByRole("button", { name: "Delete view Found mail" }).click();
      await page.getByText("None yet: a list of tasks").waitFor();
    });
  });

  test(`queues are folded and a payload is shown in other forms ${with_} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await page.goto("/");
      await page.getByRole("link", { name: "By prefix" }).click();
      const group = page.getByRole("link", { name: "report:…" });
      await group.click();
      await page.getByRole("link", { name: "report:daily" }).waitFor();
      assert.equal(await group.getAttribute("aria-expanded"), "true");
      await group.click();
      await page.getByRole("link", { name: "report:daily" }).waitFor({ state: "detached" });
      await group.click();
      await page.getByRole("link", { name: "report:daily" }).click();
      await page.getByRole("link", { name: "packed" }).click();
      await page.getByText("MessagePack, 16 B").waitFor();
      await page.getByRole("link", { name: "Hex" }).click();
      await page.getByText("82 a5 70 61").waitFor();
      assert.equal(await page.getByRole("link", { name: "Logs" }).getAttribute("href"), "https://logs.example/?task=packed&type=report%3Amake");
    });
  });
}

test("the badge can be read in both themes", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await visit(here, { colorScheme }, async (page) => {
      await page.goto("/");
      assert.match(await page.title(), /^sample · Queues · asynq$/);
      const accents = ["red", "orange", "green", "blue", "purple", "gray"];
      for (const accent of accents) {
        await page.evaluate((accent) => (document.querySelector(".bar").dataset.accent = accent), accent);
        assert.deepEqual(await accessibility(page), [], `${accent}, ${colorScheme}`);
      }
    });
  }
});
