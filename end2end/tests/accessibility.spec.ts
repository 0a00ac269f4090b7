// axe on each page in both colour schemes, and the heatmap by keyboard alone.
import { AxeBuilder } from "@axe-core/playwright";

import { endlessPdf } from "../support/pdf.ts";
import { texts } from "../support/pile.ts";
import { expect, remove, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in ${colorScheme}`, async ({ page, finished }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const id = finished.split("/").pop();
    const paths = ["/", "/webhooks", finished, `${finished}?status=failed`, `${finished}/add`, `/?compare=${id}`, "/?q=nothing", "/nowhere"];
    for (const path of paths) {
      await page.goto(path, { waitUntil: "networkidle" });
      await check(page, path);
    }
    await page.goto(`/?compare=${id}`);
    await page.getByTestId("change").first().locator("summary").click();
    await check(page, "a batch that is renamed");
    await page.goto(finished);
    await page.getByTestId("document-row").first().getByRole("link").first().click();
    await expect(page.getByTestId("document-text")).toBeVisible();
    await check(page, "a document");
  });

  test(`axe finds nothing on a batch that runs and is stopped, in ${colorScheme}`, async ({ page, server, finished }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const id = await upload(server, "Running", zip([...texts, { name: "slow.pdf", bytes: endlessPdf() }]));
    await page.goto(`/batches/${id}`);
    await expect(page.getByTestId("count-completed")).toHaveText(String(texts.length), { timeout: 60_000 });
    await check(page, "a batch that runs");
    await page.getByTestId("cancel").click();
    await expect(page.getByTestId("confirm-cancel")).toBeVisible();
    await check(page, "the question before it is cancelled");
    await page.getByTestId("confirm-cancel").click();
    await expect(page.getByTestId("stopped")).toBeVisible();
    await check(page, "a batch that was cancelled");
    await page.goto(`/compare?a=${id}&b=${finished.split("/").pop()}`);
    await check(page, "two batches compared");
    await page.goto(`/compare?a=${id}&b=${finished.split("/").pop()}&part=only_second`);
    await check(page, "what only the second has");
    await remove(server, id);
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
