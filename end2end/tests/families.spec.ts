// Near-duplicates: the card, the page with its dial, the filters of the table, and a document's own page.
import { AxeBuilder } from "@axe-core/playwright";

import { card, expect, finish, remove, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const sentences = Array.from({ length: 40 }, (_, n) => `Entry ${n} of the log tells how boat number ${n * 7 + 3} came in with the tide.`);
const log = sentences.join("\n");
const entries = [
  { name: "log.txt", bytes: Buffer.from(log) },
  { name: "copy of log.txt", bytes: Buffer.from(log) },
  { name: "log.html", bytes: Buffer.from(`<html><body>${sentences.map((text) => `<p>${text}</p>`).join("")}</body></html>`) },
  { name: "log edited.txt", bytes: Buffer.from(log.replace("boat number 31", "ship numbered 31").replace("boat number 94", "raft 94")) },
  { name: "recipes.txt", bytes: Buffer.from(Array.from({ length: 40 }, (_, n) => `Dish ${n} wants ${n} grams of flour, an egg and patience.`).join("\n")) },
];

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("what is double is counted, listed, left out and dialled", async ({ page, server }) => {
      const id = await upload(server, "Logs", zip(entries));
      await finish(server, id);
      await page.goto(`/batches/${id}`);
      expect(await card(page, "duplicates")).toBe(3);
      await page.getByTestId("card-duplicates").click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Near-duplicates");
      await expect(page.getByTestId("family")).toHaveCount(1);
      await expect(page.getByTestId("family").getByRole("heading")).toContainText("copy of log.txt");
      const kinds = page.getByTestId("family-member");
      await expect(kinds).toHaveCount(3);
      expect(await kinds.evaluateAll((rows) => rows.map((row) => row.dataset.kind))).toEqual(["exact", "same-text", "near"]);
      await expect(kinds.last()).toContainText(/\d+ %/);

      await page.getByTestId("family-collapsed").click();
      await expect(page.getByTestId("document-row")).toHaveCount(2);
      await expect(page.getByTestId("filter-chip")).toContainText("One of each");
      await page.getByTestId("facet-near-duplicates").getByRole("link", { name: /Could be dropped/ }).click();
      await expect(page.getByTestId("document-row")).toHaveCount(3);
      await expect(page).toHaveURL(/family=spare/);
      await page.getByTestId("document-row").first().getByRole("link").first().click();
      await expect(page.getByTestId("document-family").getByTestId("family-member")).toHaveCount(3);

      // A higher threshold is tried, then made that of the batch.
      await page.goto(`/batches/${id}/families?least=99`);
      await expect(page.getByTestId("families-count")).toContainText("1 family of 3 documents");
      await expect(page.getByTestId("dial-keep")).toContainText("This is a trial");
      await page.getByRole("button", { name: "Use 99 % for the batch" }).click();
      await expect(page.getByTestId("dial-keep")).toHaveCount(0);
      await expect(page.getByTestId("family-member")).toHaveCount(2);
      await page.goto(`/batches/${id}?family=spare`);
      await expect(page.getByTestId("document-row")).toHaveCount(2);
      await page.goto(`/batches/${id}/families?least=40`);
      await page.getByTestId("weakest").getByRole("link").click();
      await expect(page).toHaveURL(/\/diff\?a=.+&b=.+/);
      await expect(page.locator(".diff ins").first()).toBeVisible();
      await remove(server, id);
    });
  });
}

test("the slider regroups when it is let go", async ({ page, server }) => {
  const id = await upload(server, "Logs", zip(entries));
  await finish(server, id);
  await page.goto(`/batches/${id}/families`);
  await page.getByRole("slider").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/least=100/);
  await expect(page.getByTestId("family-member")).toHaveCount(2);
  await remove(server, id);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on families in ${colorScheme}, at every width`, async ({ page, server }, info) => {
    await page.emulateMedia({ colorScheme });
    const id = await upload(server, "Logs", zip(entries));
    await finish(server, id);
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const address of [`/batches/${id}/families?least=60`, `/batches/${id}`]) {
        await page.goto(address, { waitUntil: "networkidle" });
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out").toBe(true);
        await page.screenshot({ path: info.outputPath(`${address.includes("families") ? "families" : "batch"}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    await remove(server, id);
  });
}
