// The doctor: what one must know, what is found, and how it is put right.

import { test } from "node:test";
import { site, visit } from "./site.mjs";

const here = site();

for (const javaScriptEnabled of [true, false]) {
  test(`a queue that was paused and forgotten is found and resumed ${javaScriptEnabled ? "with" : "without"} scripts`, async () => {
    await visit(here, { javaScriptEnabled }, async (page) => {
      const send = (path, form) => page.context().request.post(path, { form, maxRedirects: 0 });
      await send("/enqueue", { queue: "spare", type: "t", id: "only", format: "text", payload: "" });
      await send("/queues/spare/pause", {});
      await send("/tasks/act", { action: "delete", task: "5.spareonly" });

      await page.goto("/");
      await page.getByRole("link", { name: "Doctor" }).click();
      await page.getByText("1 task waiting: the queue is paused.").waitFor();
      await page.getByRole("button", { name: "Examine everything" }).click();
      await page.getByText("were looked at").waitFor();
      await page.locator("section.card", { hasText: "paused-empty" }).getByRole("link", { name: "Put right" }).click();
      await page.getByText("resumes it").waitFor();
      await page.getByRole("button", { name: "Put it right" }).click();
      await page.getByText("Put right: 1 of paused-empty.").waitFor();
    });
  });
}
