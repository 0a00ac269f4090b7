// Another filter puts another picture into the cells that are there: it has to be the one that the server would draw.
import { type Page, expect, test } from "@playwright/test";

import { withNotes } from "../support/notes.ts";

test("cells that stay show what a page loaded anew shows", async ({ page }) => {
  // So many that a cluster of them still fills as many blocks as all.
  const { server, batch } = await withNotes(1200);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  try {
    await page.goto(batch);
    await page.locator("[role=rowheader] a[tabindex='-1']").first().waitFor({ state: "attached" });
    const whole = await picture(page);
    expect(whole.match(/role="gridcell"/g)).toHaveLength(60 * 60);
    const grid = page.getByTestId("heatmap");
    await grid.evaluate((element) => element.firstElementChild!.setAttribute("data-kept", ""));

    await page.getByTestId("cluster-row").first().locator(".cluster-name > a").click();
    await expect(page.getByTestId("filter-bar")).toBeVisible();
    await expect(page.getByTestId("overview")).toHaveClass(/settling/);
    await expect.poll(() => picture(page), { message: "the picture follows the filter" }).not.toBe(whole);
    const filtered = await picture(page);
    await expect(grid.locator("[data-kept]")).toHaveCount(1);
    const other = await page.context().newPage();
    await other.goto(page.url());
    expect(await picture(other)).toBe(filtered);

    await page.getByTestId("filter-clear").click();
    await expect.poll(() => picture(page), { message: "the whole is back" }).toBe(whole);
    await expect(grid.locator("[data-kept]")).toHaveCount(1);
    await expect(page.getByTestId("overview"), "what is out of sight is drawn in the end").not.toHaveClass(/settling/);
    expect(errors).toEqual([]);
  } finally {
    await server.stop();
  }
});

/** The grid as HTML, without what the script adds for the keyboard. */
function picture(page: Page): Promise<string> {
  return page.getByTestId("heatmap").evaluate((grid) => grid.innerHTML.replaceAll(/ (tabindex|data-kept)="[^"]*"/g, ""));
}
