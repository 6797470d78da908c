// Stored schedules by hand, without scripts and on a phone: made, looked at, changed, paused, deleted.

import { test } from "node:test";
import assert from "node:assert/strict";
import { accessibility, site, visit } from "./site.mjs";

const here = site();

const LOOKS = {
  "without scripts": { javaScriptEnabled: false, viewport: { width: 1280, height: 800 } },
  "on a phone": { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

for (const [look, options] of Object.entries(LOOKS)) {
  test(`a schedule is made, changed, paused and deleted ${look}`, async () => {
    const name = `report ${look}`;
    await visit(here, options, async (page) => {
      const button = (text) => page.getByRole("button", { name: text, exact: true });
      const sound = async () => {
        if (options.javaScriptEnabled === false) return;
        assert.deepEqual(await accessibility(page), []);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(wider <= 0, `${wider} pixels too wide`);
      };
      await page.goto("/schedules");
      await page.getByRole("link", { name: "New schedule" }).click();
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.getByLabel("Type", { exact: true }).fill("report");
      await page.getByLabel("Specification").fill("0 9 * * mon-frii");
      await page.getByLabel("Time zone").fill("Europe/Rome");
      await button("Show when it fires").click();
      await page.getByRole("alert").getByText("invalid schedule").waitFor();
      await sound();
      await page.getByLabel("Specification").fill("0 9 * * mon-fri");
      await button("Show when it fires").click();
      await page.getByText("time of Europe/Rome").waitFor();
      assert.equal(await page.getByRole("listitem").filter({ hasText: "UTC" }).count(), 5);
      await sound();
      await button("Create").click();
      await page.getByText("Stored: servers that run").waitFor();
      await page.getByRole("heading", { name }).waitFor();
      await sound();
      await page.getByRole("link", { name: "Edit", exact: true }).click();
      await page.getByLabel("Specification").fill("@daily");
      await button("Save").click();
      // The times are others, so they are told first.
      await page.getByText("at 09:00").waitFor({ state: "detached" });
      await button("Save").click();
      await page.getByText("Saved.").waitFor();
      await button("Pause").click();
      await page.getByText("Paused: it does not fire").waitFor();
      await button("Resume").click();
      await page.getByText("Resumed: it fires").waitFor();
      await page.getByRole("link", { name: "Delete…" }).click();
      await sound();
      await button("Delete the schedule").click();
      await page.getByText("Schedule deleted.").waitFor();
      assert.equal(await page.getByText(name).count(), 0);
    });
  });
}

test("a schedule of a program says why it cannot be changed", async () => {
  await visit(here, {}, async (page) => {
    await page.goto("/schedules");
    await page.getByRole("link", { name: "report:nightly" }).click();
    await page.getByText("In a program: it is changed there").waitFor();
    assert.equal(await page.getByRole("button", { name: "Pause", exact: true }).count(), 0);
  });
});
