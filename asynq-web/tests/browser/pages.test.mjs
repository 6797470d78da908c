// Every page, in both themes and on a phone: nothing that axe finds, nothing wider than the screen.

import { test } from "node:test";
import assert from "node:assert/strict";
import { accessibility, PAGES, site, visit } from "./site.mjs";

const here = site();

const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

for (const [name, options] of Object.entries(LOOKS)) {
  test(`pages are accessible and fit the screen: ${name}`, async () => {
    await visit(here, options, async (page) => {
      const wrong = [];
      for (const path of PAGES) {
        await page.goto(path);
        wrong.push(...(await accessibility(page)).map((found) => `${path}: ${found}`));
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wider > 0) wrong.push(`${path}: ${wider} pixels too wide`);
      }
      assert.deepEqual(wrong, []);
    });
  });
}

test("the theme is the system's, or the one that was chosen", async () => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await visit(here, { colorScheme: "dark" }, async (page) => {
    await page.goto("/settings");
    const dark = await ground(page);
    await page.getByRole("radio", { name: "Light" }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Settings saved").waitFor();
    assert.notEqual(await ground(page), dark);
  });
});
