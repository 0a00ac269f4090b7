// Exploring a batch: facets that count under each other, a selection and what is done with it, and the way from document to document.
import { card, expect, finish, test } from "../support/test.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("facets count under each other, and what is chosen is taken back", async ({ page, finished }) => {
      await page.goto(finished);
      const kinds = page.getByTestId("facet-kind").getByTestId("facet-value");
      const first = kinds.first();
      const documents = Number(await first.locator(".tabular").innerText());
      await first.click();
      await expect(page.getByTestId("matching")).toHaveText(String(documents));
      await expect(page.getByTestId("document-row")).toHaveCount(documents);
      await expect(page.getByTestId("all-matching")).toContainText(String(documents));
      await expect(page.getByTestId("cluster-size").first()).toContainText(" of ");
      await expect(kinds.first(), "other kinds stay to be chosen").toHaveAttribute("aria-current", "true");
      expect(await kinds.count()).toBeGreaterThan(1);

      // Words narrow what is counted, and the back button takes them back.
      await page.getByLabel("Search names and texts").fill("star");
      await page.getByLabel("Search names and texts").press("Enter");
      await expect(page).toHaveURL(/q=star/);
      await expect(page).toHaveURL(/kind=/);
      const both = Number(await page.getByTestId("facet-kind").locator("[aria-current] .tabular").innerText());
      expect(both).toBeLessThan(documents);
      await expect(page.getByTestId("matching")).toHaveText(String(both));
      await page.goBack();
      await expect(page.getByTestId("matching")).toHaveText(String(documents));
      await page.getByTestId("facet-kind").locator("[aria-current]").click();
      await expect(page.getByTestId("filter-bar")).toHaveCount(0);
    });

    test("the heatmap, the cards and the clusters follow every filter, and the back button", async ({ page, finished }) => {
      await page.goto(finished);
      const rows = page.getByTestId("heatmap").getByRole("rowheader");
      const all = await rows.count();
      const documents = await card(page, "documents");
      await page.getByTestId("facet-kind").getByTestId("facet-value").last().click();
      await expect(page).toHaveURL(/kind=/);
      const left = Number(await page.getByTestId("matching").innerText());
      expect(left).toBeLessThan(documents);
      await expect.poll(() => card(page, "documents")).toBe(left);
      await expect(page.getByTestId("card-documents")).toContainText(`of ${documents}`);
      await page.goBack();
      await expect(rows).toHaveCount(all);

      await page.getByLabel("Search names and texts").fill("bread");
      await page.getByLabel("Search names and texts").press("Enter");
      await expect(page).toHaveURL(/q=bread/);
      const found = Number(await page.getByTestId("matching").innerText());
      expect(found).toBeGreaterThan(2);
      await expect(rows).toHaveCount(found - (await page.locator("[data-testid=document-row][data-cluster='']").count()));
      for (const name of await page.getByTestId("pair").getByRole("link").allInnerTexts()) {
        if (!/^[01]\.\d\d/.test(name)) await expect(page.getByTestId("document-row").filter({ hasText: name })).not.toHaveCount(0);
      }
      await expect(page.locator(".cluster-row:has(.none-left)"), "what is left out is grey").not.toHaveCount(0);
      const saving = page.waitForEvent("download");
      await page.getByTestId("heatmap-png").click();
      expect((await saving).suggestedFilename()).toBe("similarity.png");
      const size = Number((await page.getByTestId("cluster-size").first().innerText()).split(" of ").pop());
      await page.getByTestId("filter-clear").click();
      await expect(rows).toHaveCount(all);
      await expect(page.getByTestId("cluster-size").first()).toHaveText(String(size));
    });

    test("dates narrow the table", async ({ page, finished }) => {
      await page.goto(finished);
      await page.getByLabel("Made from").fill("1971");
      await page.getByLabel("until").fill("1972-05");
      await page.getByRole("button", { name: "Search", exact: true }).last().click();
      await expect(page).toHaveURL(/from=1971&to=1972-05/);
      await expect(page.getByTestId("filter-chip")).toContainText("Made: 1971 to 1972-05");
    });

    test("a selection is downloaded and becomes a batch", async ({ page, finished, server }) => {
      await page.goto(`${finished}?kind=text`);
      const matching = Number(await page.getByTestId("matching").innerText());
      let saving = page.waitForEvent("download");
      await page.getByTestId("do-csv").click();
      expect((await saving).suggestedFilename()).toMatch(/documents\.csv$/);
      await page.locator(".tick").nth(0).check();
      await page.locator(".tick").nth(1).check();
      saving = page.waitForEvent("download");
      await page.getByTestId("do-originals").click();
      expect((await saving).suggestedFilename()).toMatch(/originals\.zip$/);
      await page.getByTestId("do-batch").click();
      await expect(page).not.toHaveURL(new RegExp(finished));
      await expect(page).toHaveURL(/\/batches\/[^/?]+$/);
      const id = page.url().split("/").pop() ?? "";
      await finish(server, id);
      await page.goto(`/batches/${id}`);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("From The pile");
      await expect(page.getByTestId("document-row")).toHaveCount(Math.min(2, matching));
      expect((await fetch(`${server.address}/api/batches/${id}`, { method: "DELETE" })).status).toBe(204);
    });
  });
}

test("what is typed before the script is there stays", async ({ page, finished }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(finished, { waitUntil: "domcontentloaded" });
  await page.getByLabel("Made from").fill("1971");
  release();
  // The script is at work: it takes the headings of the heatmap out of the way of Tab.
  await page.locator("[role=rowheader] a[tabindex='-1']").first().waitFor({ state: "attached" });
  await expect(page.getByLabel("Made from")).toHaveValue("1971");
  await page.getByRole("button", { name: "Search", exact: true }).last().click();
  await page.getByTestId("filter-clear").click();
  await expect(page.getByLabel("Made from")).toHaveValue("");
});

test("j and k go through the list that a document was opened from", async ({ page, finished }) => {
  await page.goto(`${finished}?kind=text&sort=words&dir=desc`);
  const names = await page.getByTestId("document-row").locator("th a:first-of-type").allInnerTexts();
  const bare = names.map((name) => name.trim().split("/").pop() ?? "");
  await page.getByTestId("document-row").first().getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(bare[0] ?? "");
  await expect(page.getByTestId("beside")).toContainText(`1 of ${bare.length}`);
  await page.keyboard.press("j");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(bare[1] ?? "");
  await page.keyboard.press("j");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(bare[2] ?? "");
  await page.keyboard.press("k");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(bare[1] ?? "");
  await expect(page).toHaveURL(/kind=text&sort=words&dir=desc/);
});
