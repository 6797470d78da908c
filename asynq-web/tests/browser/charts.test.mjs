// Charts as they are seen: with numbers and without, pointed at, as tables, in both themes, on a phone.

import { test } from "node:test";
import assert from "node:assert/strict";
import { accessibility, site, visit } from "./site.mjs";

const here = site();

/** Waits until there are numbers of work that was done. */
const filled = async (page) => {
  // A line that is level has no height, so it is never visible to Playwright.
  await page.locator('[data-key="chart-throughput"] path.line.processed[d^="M"]').waitFor({ state: "attached", timeout: 40_000 });
  await page.locator('[data-key="chart-run"] path.line[d^="M"]').first().waitFor({ state: "attached", timeout: 40_000 });
};

test("charts fill by themselves, are read by pointing and as tables", async () => {
  await visit(here, { viewport: { width: 1280, height: 900 } }, async (page) => {
    await page.goto("/charts?range=15m");
    await filled(page);
    const plot = page.locator('[data-key="chart-throughput"] .plot svg');
    const { x, y, width, height } = await plot.boundingBox();
    await page.mouse.move(x + width - 2, y + height / 2);
    const readout = page.locator('[data-key="chart-throughput"] .readout');
    await readout.waitFor();
    assert.match(await readout.textContent(), /UTC · processed [\d.]+\/s, failed [\d.]+\/s/);
    await page.mouse.move(1, 1);
    await readout.waitFor({ state: "hidden" });

    await page.locator('[data-key="chart-size"] summary').click();
    const table = page.locator('[data-key="chart-size"] table');
    await table.getByRole("columnheader", { name: "scheduled" }).waitFor();
    assert(await table.locator("tbody tr").count() > 1);
    assert.deepEqual(await accessibility(page), []);
    await page.getByRole("link", { name: "quick" }).first().waitFor();
  });
});

test("the range and the queue are in the address, and work without scripts", async () => {
  await visit(here, { javaScriptEnabled: false }, async (page) => {
    await page.goto("/");
    await page.getByRole("link", { name: "Charts", exact: true }).click();
    await page.getByRole("link", { name: "6h" }).click();
    await page.getByLabel("Queue", { exact: true }).fill("mail");
    await page.locator("form.filter button").click();
    const { searchParams } = new URL(page.url());
    assert.deepEqual([searchParams.get("range"), searchParams.get("queue")], ["6h", "mail"]);
    await page.getByRole("link", { name: "90d" }).click();
    await page.getByText("Days begin at midnight UTC.").waitFor();
    assert.equal(new URL(page.url()).searchParams.get("queue"), "mail");
  });
});

for (const [name, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
})) {
  test(`full charts are accessible and fit the screen: ${name}`, async () => {
    await visit(here, options, async (page) => {
      const wrong = [];
      for (const path of ["/charts", "/", "/queues/quick", "/charts?range=7d&queue=quick"]) {
        await page.goto(path);
        if (path === "/charts") await filled(page);
        for (const summary of await page.locator(".chart summary").all()) await summary.click();
        wrong.push(...(await accessibility(page)).map((found) => `${path}: ${found}`));
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wider > 0) wrong.push(`${path}: ${wider} pixels too wide`);
      }
      assert.deepEqual(wrong, []);
    });
  });
}

test("all tasks of one error are run again", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/errors");
    const row = page.locator("tr", { hasText: "dial tcp *: i/o timeout" });
    await row.waitFor();
    await row.getByRole("button", { name: "Run now all" }).click();
    await page.getByRole("heading", { name: "Run now 1 task?" }).waitFor();
    await page.locator("main").getByRole("button", { name: "Run now 1 task" }).click();
    await page.getByText("1 task made pending.").waitFor();
  });
});
