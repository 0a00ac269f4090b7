// The worked example: twenty papers become a table of genes, from the template to the archive, with and without JavaScript.
import { readFileSync } from "node:fs";

import { AxeBuilder } from "@axe-core/playwright";
import { type Locator, type Page } from "@playwright/test";

import { pdf } from "../support/pdf.ts";
import { expect, finish, test as base, upload } from "../support/test.ts";
import { type Entry, zip } from "../support/zip.ts";

const GENES = ["TP53", "BRCA1", "EGFR", "KRAS", "IL6"];

/** Twenty papers of a page each; every fourth is a PDF. */
const papers: Entry[] = Array.from({ length: 20 }, (_, i) => {
  const gene = GENES[i % GENES.length]!;
  const name = `papers/${String(i).padStart(2, "0")}`;
  const sentence = `${gene} was strongly upregulated in the liver of ${i} patients.`;
  return i % 4 === 0
    ? { name: `${name}.pdf`, bytes: pdf([sentence, "The weather did not matter."]) }
    : { name: `${name}.txt`, bytes: Buffer.from(`Study ${i} of tissue\n\n${sentence}\nThe weather did not matter, nor did MYC.\n`) };
});

const test = base.extend<object, { read: string }>({
  read: [
    async ({ server }, use) => {
      const id = await upload(server, "Papers", zip(papers));
      await finish(server, id);
      await use(id);
    },
    { scope: "worker" },
  ],
});

async function isAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(`${javaScriptEnabled ? "with" : "without"} JavaScript`, () => {
    test.use({ javaScriptEnabled });

    test("twenty papers become a table of genes", async ({ page, read }) => {
      expect(read).toBeTruthy();
      // From the template, tried on one of them before it is kept.
      await page.goto("/flows");
      await page.getByTestId("template").getByRole("link", { name: "Gene expression from papers" }).click();
      await expect(page.getByTestId("step")).toHaveCount(4);
      await page.getByRole("searchbox", { name: "Name or words of a document" }).fill("04.pdf");
      await page.getByRole("region", { name: "Try on one document" }).getByRole("button", { name: "Find" }).click();
      await page.getByTestId("candidates").getByRole("button", { name: "papers/04.pdf" }).click();
      const genes = page.locator('[data-testid="step"]', { has: page.locator('input[value="genes"]') });
      await expect(genes.getByTestId("tried")).toContainText("IL6");
      await expect(genes.getByTestId("tried")).toContainText("verified");
      const result = page.getByRole("region", { name: "Rows of the result" });
      await expect(result.getByRole("row")).toHaveCount(2);
      await expect(result).toContainText("IL6 was strongly upregulated");
      const name = `Genes ${javaScriptEnabled ? "with" : "without"}`;
      await page.getByLabel("Name", { exact: true }).first().fill(name);
      await page.getByTestId("save-flow").click();
      await expect(page).toHaveURL(/\/flows\/[0-9a-f-]{36}\?saved=1/);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
      // What was tried stays, and what comes next is said.
      await expect(page.getByTestId("saved")).toContainText("Saved as version 1");
      await expect(page.getByTestId("saved").getByRole("link", { name: "Choose documents" })).toBeVisible();
      await expect(genes.getByTestId("tried")).toContainText("IL6");

      // A whole batch, and one document of it, which counts once.
      await page.getByRole("link", { name: "Run it" }).click();
      await page.getByTestId("batches").getByRole("checkbox", { name: /^Papers/ }).check();
      await page.getByRole("button", { name: "Add what is ticked" }).click();
      await expect(page.getByTestId("chip")).toContainText("All of Papers");
      await expect(page.getByTestId("estimate")).toContainText("20");
      await expect(page.getByTestId("estimate")).toContainText("no model is asked");
      await page.getByLabel("Name or words").fill("papers/0");
      await page.getByRole("button", { name: "Find documents" }).click();
      await page.getByTestId("documents").getByRole("checkbox", { name: /papers\/03/ }).check();
      await page.getByRole("button", { name: "Add what is ticked" }).click();
      await expect(page.getByTestId("chip")).toHaveCount(2);
      await page.getByRole("button", { name: /^Take .*papers\/03\.txt back$/ }).click();
      await expect(page.getByTestId("chip")).toHaveCount(1);
      await page.getByLabel(/^Name \(made/).fill(`Run of ${name}`);
      await page.getByTestId("start-run").click();

      // Followed to its end without a hand.
      await expect(page.getByTestId("run-status")).toHaveAttribute("data-status", "completed", { timeout: 30_000 });
      await expect(page.getByTestId("run-status")).toContainText("20 of 20 documents");
      const run = page.url().split(/[?#]/)[0]!;

      // Reviewed: one is right, one is wrong, one is another.
      await page.goto(`${run}?column=genes.value`);
      await expect(page.getByTestId("value-count")).toHaveText("20 values");
      const rows = page.getByTestId("value");
      const rejected = await rows.nth(1).getByRole("link", { name: /papers\// }).innerText();
      await rows.nth(0).getByRole("button", { name: /^Accept/ }).click();
      await expect(rows.nth(0).getByTestId("judged")).toHaveText("accepted");
      await rows.nth(1).getByRole("button", { name: /^Reject/ }).click();
      await expect(rows.nth(1).getByTestId("judged")).toHaveText("rejected");
      await rows.nth(2).getByRole("textbox").fill("P53 protein");
      await rows.nth(2).getByRole("button", { name: /^Correct/ }).click();
      await expect(rows.nth(2).getByTestId("judged")).toHaveText("corrected");
      await expect(rows.nth(2)).toContainText("found: ");
      await page.getByRole("link", { name: "Not reviewed" }).click();
      await expect(page.getByTestId("value-count")).toHaveText("17 values");

      // The proof is boxed on the picture of its page.
      await page.goto(`${run}?column=genes.value`);
      await page.getByRole("link", { name: "papers/04.pdf" }).click();
      await expect(page.getByTestId("hit-boxes").locator("rect").first()).toBeAttached();
      await page.getByTestId("value").filter({ hasText: "genes.value" }).first().getByRole("link", { name: "page 1" }).click();
      await expect(page.getByTestId("page-text").locator("mark")).toContainText("IL6 was strongly upregulated");
      await expect(page.getByTestId("hit-boxes").locator("rect").first()).toBeAttached();

      // All of it as an archive.
      await page.goto(run);
      const download = page.waitForEvent("download");
      await page.getByRole("link", { name: "Download all (ZIP)" }).click();
      const archive = await download;
      expect(archive.suggestedFilename()).toMatch(/genes-with.*\.zip$/i);
      const bytes = readFileSync(await archive.path());
      expect(bytes.subarray(0, 4).toString("latin1")).toBe("PK\x03\x04");
      const table = await page.request.get(`${run.replace("/runs/", "/api/runs/")}/export?what=table&format=csv`);
      const csv = await table.text();
      expect(csv).toContain("paper,gene,as_written,page,quote,verified,review");
      expect(csv).toContain("P53 protein");
      expect(csv, "a hit is rejected as a whole").not.toContain(rejected);
      expect(csv).toMatch(/,true,(none|accepted)\n/);
    });

    test("every template is kept as it is, field for field", async ({ page }) => {
      const templates = await (await page.request.get("/api/flows/templates")).json();
      expect(templates).toHaveLength(4);
      for (const { key, ...template } of templates) {
        await page.goto(`/flows/new?template=${key}`);
        await page.getByTestId("save-flow").click();
        await expect(page).toHaveURL(/\/flows\/[0-9a-f-]{36}\?saved=1/);
        const kept = await (await page.request.get(page.url().replace("/flows/", "/api/flows/"))).json();
        expect(kept.steps).toEqual(template.steps);
        expect(kept.name).toBe(template.name);
      }
    });

    test("a step is built field by field, and what is wrong is said at it", async ({ page, read }) => {
      expect(read).toBeTruthy();
      await page.goto("/flows/new");
      const steps = page.getByTestId("step");
      await page.getByRole("button", { name: "Find", exact: true }).last().click();
      await expect(steps).toHaveCount(1);
      await steps.nth(0).getByRole("combobox", { name: "Look for" }).selectOption("pattern");
      await steps.nth(0).getByRole("textbox", { name: "Pattern" }).fill("(");
      await page.getByRole("button", { name: "Format", exact: true }).click();
      await expect(steps).toHaveCount(2);
      await page.getByTestId("save-flow").click();
      await expect(steps.nth(0).getByTestId("problem").first()).toBeVisible();
      await expect(steps.nth(0).getByRole("textbox", { name: "Pattern" })).toHaveValue("(");
      await expect(page).not.toHaveURL(/[0-9a-f]{8}-/);
      await steps.nth(0).getByRole("textbox", { name: "Pattern" }).fill("liver of \\d+ patients");
      await steps.nth(0).getByLabel("The most hits in a document").fill("many");
      await page.getByRole("button", { name: "Check" }).click();
      await expect(steps.nth(0).getByTestId("problem").first()).toContainText("write a number");
      await expect(steps.nth(0).getByLabel("The most hits in a document")).toHaveValue("many");
      await steps.nth(0).getByLabel("The most hits in a document").fill("5");

      // Steps are moved, and a new name is followed by those that use it.
      await page.getByRole("button", { name: "Keywords", exact: true }).click();
      await expect(steps.nth(1)).toHaveAttribute("data-kind", "keywords");
      await steps.nth(1).getByRole("button", { name: "Move keywords up" }).click();
      await expect(steps.nth(0)).toHaveAttribute("data-kind", "keywords");
      if (javaScriptEnabled) {
        await steps.nth(0).getByRole("button", { name: /^Move keywords: drag/ }).press("Alt+ArrowDown");
        await expect(steps.nth(1)).toHaveAttribute("data-kind", "keywords");
        await expect(steps.nth(1).getByRole("button", { name: /^Move keywords: drag/ })).toBeFocused();
        await steps.nth(1).getByRole("button", { name: /^Move keywords: drag/ }).press("Alt+ArrowUp");
        await expect(steps.nth(0)).toHaveAttribute("data-kind", "keywords");
      }
      await steps.nth(2).getByRole("combobox", { name: "Column" }).first().selectOption("find.value");
      await steps.nth(1).getByRole("textbox", { name: "Name" }).fill("where");
      await page.getByRole("button", { name: "Check" }).click();
      await expect(steps.nth(2).getByRole("combobox", { name: "Column" }).first()).toHaveValue("where.value");
      await steps.nth(0).getByRole("button", { name: "Remove keywords" }).click();
      await expect(steps).toHaveCount(2);
      await page.getByTestId("save-flow").click();
      await expect(page).toHaveURL(/\/flows\/[0-9a-f-]{36}\?saved=1/);
    });
  });
}

test("pages of flows and runs are accessible", async ({ page, read }) => {
  const template = await (await page.request.get("/api/flows/templates")).json();
  const { key: _, ...spec } = template.find((one: { key: string }) => one.key === "gene-expression");
  const flow = await (await page.request.post("/api/flows", { data: spec })).json();
  const run = await (await page.request.post("/api/runs", { data: { flow: flow.id, documents: { batches: [read] } } })).json();
  const documents = await (await page.request.get(`/api/batches/${read}/documents?limit=1`)).json();
  const document = documents.items[0].id;
  const addresses = [
    "/flows",
    "/flows/new?template=support-triage",
    `/flows/${flow.id}?batch=${read}&document=${document}`,
    `/runs/new?flow=${flow.id}&batch=${read}`,
    "/runs",
    `/runs/${run.id}`,
    `/runs/${run.id}/documents/${document}`,
    `/runs/${run.id}?column=every&review=none`,
    `/runs/${run.id}/table`,
    `/runs/${run.id}/cancel`,
    `/runs/${run.id}/delete`,
    `/batches/${read}/delete`,
  ];
  for (const address of addresses) {
    await page.goto(address);
    await isAccessible(page);
  }
});

test("a flow is built, tried, kept and run by keyboard alone", async ({ page, read }) => {
  expect(read).toBeTruthy();
  // Tab goes through the whole page, so a place that it does not come to is found.
  const reach = async (to: Locator) => {
    await expect(to).toBeVisible();
    for (let i = 0; i < 400; i++) {
      if (await to.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not come to ${to}`);
  };
  const press = async (to: Locator, key = "Enter") => {
    await reach(to);
    await page.keyboard.press(key);
  };
  await page.goto("/flows");
  await press(page.getByTestId("template").getByRole("link", { name: "Gene expression from papers" }));
  await press(page.getByTestId("candidates").getByRole("button").first());
  await expect(page.getByTestId("try-chosen")).toBeVisible();
  await press(page.getByRole("button", { name: "Keywords", exact: true }));
  await expect(page.getByTestId("step")).toHaveCount(5);
  await press(page.getByTestId("save-flow"));
  await press(page.getByTestId("saved").getByRole("link", { name: "Choose documents" }));
  await press(page.getByTestId("batches").getByRole("checkbox", { name: /^Papers/ }), "Space");
  await press(page.getByRole("button", { name: "Add what is ticked" }));
  await expect(page.getByTestId("chip")).toContainText("All of Papers");
  await press(page.getByTestId("start-run"));
  await expect(page.getByTestId("run-status")).toHaveAttribute("data-status", "completed", { timeout: 30_000 });
  await press(page.getByTestId("value").first().getByRole("button", { name: /^Accept/ }), "Space");
  await expect(page.getByTestId("value").first().getByTestId("judged")).toHaveText("accepted");
});
