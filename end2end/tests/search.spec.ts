// Searching in the page: from the masthead and in a batch, by words and by meaning, with and without JavaScript.
import { AxeBuilder } from "@axe-core/playwright";

import { expect, test } from "../support/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(`${javaScriptEnabled ? "with" : "without"} JavaScript`, () => {
    test.use({ javaScriptEnabled });

    test("a document is found from the masthead, and what was found is marked", async ({ page, finished }) => {
      await page.goto(finished);
      const word = ((await page.getByTestId("documents").locator("tbody a").first().textContent()) ?? "").trim();
      const name = word.split("/").pop()?.split(/[.\s]/)[0] ?? "";
      await page.getByRole("searchbox", { name: "Search all batches" }).fill(name);
      await page.getByRole("searchbox", { name: "Search all batches" }).press("Enter");
      await expect(page.getByTestId("search-page")).toBeVisible();
      await expect(page.getByTestId("hit").first()).toBeVisible();

      await page.goto("/search?mode=words&q=the");
      const hit = page.getByTestId("hit").first();
      await expect(hit.locator("mark").first()).toHaveText(/^the$/i);
      await hit.getByRole("link").first().click();
      await expect(page.getByTestId("document-text").locator("mark").first()).toHaveText(/^the$/i);
      await page.getByRole("link", { name: "More like this" }).first().click();
      await expect(page.getByTestId("hit").first()).toContainText("Similar in meaning");
    });

    test("nothing found says what to do", async ({ page, finished }) => {
      await page.goto(`/search?q=xyzzyqwerty&mode=words&batch=${finished.split("/").pop()}`);
      await expect(page.getByTestId("nothing-found")).toBeVisible();
      await page.getByRole("link", { name: "Search all batches" }).click();
      await expect(page).not.toHaveURL(/batch=/);
    });
  });
}

test("the search page is accessible, in the light and in the dark", async ({ page, finished }) => {
  expect(finished).toBeTruthy();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const address of ["/search", "/search?q=the", "/search?q=the&mode=meaning"]) {
      await page.goto(address);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    }
  }
});
