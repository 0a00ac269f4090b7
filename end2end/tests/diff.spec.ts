// Two texts side by side: from a document, from the pairs beside the heatmap, by searching; with and without JavaScript.
import { AxeBuilder } from "@axe-core/playwright";

import { expect, finish, remove, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const sentences = Array.from({ length: 40 }, (_, n) => `Entry ${n} of the log tells of calm water and a light wind from the west. `);
const log = sentences.join("\n");
const entries = [
  { name: "logs/first.txt", bytes: Buffer.from(log) },
  { name: "logs/second.md", bytes: Buffer.from(`# Log\n\n${log.replace("Entry 20 of the log tells of calm", "Entry 20 of the log warns of <b>rough</b>")}`) },
  { name: "other/bread.txt", bytes: Buffer.from("Knead flour, water and salt, wait for the yeast, then bake the loaf until it sounds hollow.") },
];

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("two texts are compared, and the second is chosen", async ({ page, server }) => {
      const id = await upload(server, "Logs", zip(entries));
      await finish(server, id);
      await page.goto(`/batches/${id}?q=first`);
      await page.getByTestId("document-row").getByRole("link", { name: "first.txt" }).click();
      await page.getByTestId("compare-texts").first().click();
      await expect(page).toHaveURL(/\/diff\?a=.+&b=.+/);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Two texts compared");
      await expect(page.getByTestId("diff-summary")).toContainText("2 only in A");
      await expect(page.locator(".diff del")).toHaveText(["tells", "calm"]);
      await expect(page.locator(".diff ins").filter({ hasText: "warns" })).toBeVisible();
      await expect(page.getByTestId("diff-folded").first()).toContainText("words the same");

      await page.getByRole("link", { name: "Swap them" }).click();
      await expect(page.locator(".diff ins")).toHaveText(["tells", "calm"]);
      await page.getByRole("link", { name: "Compare the first with another" }).click();
      await page.getByRole("searchbox", { name: "Part of the other's path" }).fill("BREAD");
      await page.getByRole("button", { name: "Search" }).click();
      await expect(page.getByTestId("other")).toHaveCount(1);
      await page.getByTestId("other").getByRole("link").click();
      await expect(page.getByTestId("diff-summary")).toContainText("only in B");
      await remove(server, id);
    });
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on two texts in ${colorScheme}`, async ({ page, server }, info) => {
    await page.emulateMedia({ colorScheme });
    const id = await upload(server, "Logs", zip(entries));
    await finish(server, id);
    await page.goto(`/batches/${id}`, { waitUntil: "networkidle" });
    await page.getByTestId("pair").first().getByRole("link", { name: "compare the texts" }).click();
    await expect(page.getByTestId("diff")).toBeVisible();
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.length}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await info.attach(`diff-${colorScheme}-${width}`, { body: await page.screenshot({ fullPage: true }), contentType: "image/png" });
    }
    await page.getByRole("link", { name: "Compare the first with another" }).click();
    await expect(page.getByTestId("choose-other")).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await remove(server, id);
  });
}
