// Other clusterings of a batch: tried, looked at, taken over and removed, on plain pages.
import { AxeBuilder } from "@axe-core/playwright";

import { card, expect, finish, remove, test, upload } from "../support/test.ts";
import { pile } from "../support/pile.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("clusterings are tried, looked at, used and removed", async ({ page, server }) => {
      const id = await upload(server, "The pile", pile(), { model: "fast" });
      await finish(server, id);
      await page.goto(`/batches/${id}`);
      await page.getByRole("link", { name: "Other clusterings" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Clusterings");
      await expect(page.getByTestId("clustering-in-use")).toContainText("Neighbours\u2019 graph");

      const rows = page.getByTestId("clustering");
      const ask = async (method: string, fields: Record<string, string>) => {
        const before = await rows.count();
        await page.getByRole("radio", { name: method }).check();
        for (const [label, value] of Object.entries(fields)) await page.getByRole("spinbutton", { name: label }).fill(value);
        await page.getByTestId("try").click();
        await expect(rows).toHaveCount(before + 1);
        await expect(rows.nth(before)).toHaveAttribute("data-status", "completed");
      };
      await expect(page.getByRole("spinbutton", { name: "Number of clusters" })).toBeVisible();
      await ask("K-means", { "Number of clusters": "5" });
      await page.getByRole("radio", { name: "DBSCAN" }).check();
      await expect(page.getByRole("spinbutton", { name: "Number of clusters" })).toBeHidden();
      await ask("DBSCAN", { "Similarity in percent": "30", "Documents near one another": "3" });
      await expect(rows.nth(0)).toContainText("5 clusters");
      await expect(rows.nth(0).getByRole("cell").nth(0)).toHaveText("5");
      await expect(rows.nth(1)).toContainText("similarity 30 %, 3 near one another");

      await rows.nth(0).getByRole("link", { name: "K-means" }).click();
      await expect(page).toHaveURL(/show=/);
      await expect(page.getByTestId("tried-cluster")).toHaveCount(5);
      await expect(page.getByTestId("tried-cluster").first().getByRole("link")).toHaveAttribute("href", /\/documents\//);

      await page.getByRole("button", { name: "Use K-means, 5 clusters" }).click();
      await expect(page).toHaveURL(new RegExp(`/batches/${id}$`));
      await finish(server, id);
      await page.goto(`/batches/${id}`);
      expect(await card(page, "clusters")).toBe(5);
      await page.goto(`/batches/${id}/clusterings`);
      await expect(page.getByTestId("clustering-in-use")).toContainText("K-means");
      await page.getByRole("button", { name: "Remove DBSCAN, similarity 30 %, 3 near one another" }).click();
      await expect(rows).toHaveCount(1);
      await remove(server, id);
    });
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on clusterings in ${colorScheme}, at every width`, async ({ page, server }, info) => {
    await page.emulateMedia({ colorScheme });
    const id = await upload(server, "The pile", pile(), { model: "fast" });
    await finish(server, id);
    for (const wanted of [{ method: "mixture", clusters: 4 }, { method: "hierarchical", similarity: 20 }, { method: "kmeans", clusters: 7 }]) {
      const answer = await fetch(`${server.address}/api/batches/${id}/clusterings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wanted),
      });
      expect(answer.status).toBe(202);
    }
    await page.goto(`/batches/${id}/clusterings`);
    await expect(page.locator('[data-testid="clustering"][data-status="completed"]')).toHaveCount(3);
    await page.getByTestId("clustering").last().getByRole("link").first().click();
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: info.outputPath(`clusterings-${colorScheme}-${width}.png`), fullPage: true });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
    }
    await remove(server, id);
  });
}
