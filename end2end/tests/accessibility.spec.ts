// axe on each page in both colour schemes, and the heatmap by keyboard alone.
import { AxeBuilder } from "@axe-core/playwright";

import { expect, test } from "../support/test.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in ${colorScheme}`, async ({ page, finished }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const path of ["/", "/webhooks", finished, `${finished}?status=failed`, "/nowhere"]) {
      await page.goto(path, { waitUntil: "networkidle" });
      await check(page, path);
    }
    await page.goto(finished);
    await page.getByTestId("document-row").first().getByRole("link").first().click();
    await expect(page.getByTestId("document-text")).toBeVisible();
    await check(page, "a document");
  });
}

test("the heatmap is walked by keyboard and says what is under the focus", async ({ page, finished }) => {
  await page.goto(finished, { waitUntil: "networkidle" });
  const cells = page.getByTestId("heatmap").getByRole("gridcell");
  await cells.first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const focused = page.locator("[role=gridcell]:focus");
  await expect(focused).toHaveAttribute("aria-label", /\d.*: .+ and .+/);
  await expect(page.getByTestId("heatmap-readout")).toContainText("/");
});

async function check(page: import("@playwright/test").Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  expect(found, where).toEqual([]);
}
