// Signing in and out, below a path: with scripts, and with none; what viewers are offered, and what admins see.

import { test } from "node:test";
import assert from "node:assert/strict";
import { accessibility, site, visit } from "./site.mjs";

const here = site({ prefix: "/in/jobs", login: "login" });

const go = (page, path) => page.goto(here.url + path);

const signIn = async (page, name, password = name) => {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.locator("main").getByRole("button", { name: "Sign in" }).click();
};

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`one signs in, comes to where one wanted to go, and signs out: ${how}`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      await go(page, "/queues/mail?state=archived");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assert.match(page.url(), /\/in\/jobs\/login\?next=/);
      await signIn(page, "ann", "wrong");
      await page.getByText("This name with this password is not known.").waitFor();
      assert.equal(await page.getByLabel("Name").inputValue(), "ann");
      assert.equal(await page.getByLabel("Password").inputValue(), "");
      await signIn(page, "ann");
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      assert.equal(page.url(), `${here.url}/queues/mail?state=archived`);
      const [cookie] = await page.context().cookies();
      assert.deepEqual(
        [cookie.name, cookie.path, cookie.httpOnly, cookie.sameSite],
        ["asynq_session", "/in/jobs", true, "Lax"],
      );
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByText("You are signed out.").waitFor();
      await go(page, "/");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    });
  });
}

test("viewers are offered nothing that they may not do", async () => {
  await visit(here, {}, async (page) => {
    await go(page, "/");
    await signIn(page, "bob");
    await page.getByText("Signed in as bob").waitFor();
    for (const path of ["/", "/queues/mail", "/queues/mail?state=archived", "/queues/mail/tasks/mail-003", "/schedules"]) {
      await go(page, path);
      await page.locator("main h1").first().waitFor();
      for (const name of ["Pause", "Run now", "Archive", "Delete", "Edit", "Duplicate", "Move"]) {
        assert.equal(await page.getByRole("button", { name }).count(), 0, `${path}: ${name}`);
        assert.equal(await page.getByRole("link", { name, exact: true }).count(), 0, `${path}: ${name}`);
      }
      assert.equal(await page.getByRole("link", { name: "Enqueue" }).count(), 0, path);
      assert.equal(await page.getByRole("link", { name: "Audit" }).count(), 0, path);
    }
    await go(page, "/queues/mail/tasks/mail-003");
    await page.getByText("•••••").first().waitFor();
    assert.equal(await page.getByText("3.50").count(), 0);
    const refused = await page.goto(`${here.url}/audit`);
    assert.equal(refused.status(), 403);
  });
});

test("admins see who changed what, and what is masked", async () => {
  await visit(here, {}, async (page) => {
    await go(page, "/");
    await signIn(page, "ann");
    await page.getByRole("button", { name: "Pause queue work" }).click();
    await page.getByText("Paused: workers take nothing more").waitFor();
    await page.getByRole("link", { name: "Audit" }).click();
    const row = page.locator("tbody tr", { hasText: "pause" }).first();
    await row.getByText("ann").waitFor();
    await row.getByText("127.0.0.1").waitFor();
    await page.getByPlaceholder("Who", { exact: true }).fill("nobody");
    await page.locator("form.filter button").click();
    await page.getByText("No change is known that fits.").waitFor();
    await go(page, "/queues/mail/tasks/mail-003");
    await page.getByText("3.50").first().waitFor();
  });
});

for (const [name, options] of Object.entries({
  light: { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
})) {
  test(`the pages of signing in and the audit are accessible and fit the screen: ${name}`, async () => {
    await visit(here, options, async (page) => {
      const wrong = [];
      const look = async (what) => {
        wrong.push(...(await accessibility(page)).map((found) => `${what}: ${found}`));
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wider > 0) wrong.push(`${what}: ${wider} pixels too wide`);
      };
      await go(page, "/login");
      await look("signing in");
      await signIn(page, "nobody", "nothing");
      await page.getByRole("alert").waitFor();
      await look("a wrong password");
      await signIn(page, "ann");
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      await go(page, "/audit");
      await look("audit");
      assert.deepEqual(wrong, []);
    });
  });
}
