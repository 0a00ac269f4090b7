// The main job, with and without JavaScript: a ZIP becomes an overview, a cluster filters it, a document opens, files are saved.
import { parseCsv } from "../support/csv.ts";
import { ALL, READABLE, TOPICS, pile, topicOf } from "../support/pile.ts";
import { card, download, expect, test, untilOverview } from "../support/test.ts";

interface DocumentRow {
  path: string;
  status: string;
  cluster: number | null;
  outlier: boolean | null;
}

test("a ZIP becomes clusters that agree with its folders", async ({ page }) => {
  await page.goto("/");
  await page.locator("form#upload input[name=name]").fill("Three topics");
  await page.locator("form#upload input[type=file][name=files]").setInputFiles({
    name: "pile.zip",
    mimeType: "application/zip",
    buffer: pile(),
  });
  await page.getByRole("button", { name: "Analyse" }).click();
  await expect(page).toHaveURL(/\/batches\/[^/]+$/);
  await untilOverview(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Three topics");

  expect(await card(page, "documents")).toBe(ALL);
  expect(await card(page, "failures")).toBe(1);
  await expect(page.getByTestId("document-row")).toHaveCount(ALL);
  await expect(page.locator("[data-testid=document-row][data-status=completed]")).toHaveCount(READABLE);

  const clusters = page.getByTestId("cluster-row");
  expect(await card(page, "clusters")).toBe(await clusters.count());
  expect(await clusters.count()).toBeGreaterThanOrEqual(TOPICS.length);

  const json = await download(page, "download-documents-json");
  expect(json.name).toMatch(/\.json$/);
  const documents = JSON.parse(json.text) as DocumentRow[];
  expect(documents).toHaveLength(ALL);
  const outliers = documents.filter((document) => document.outlier);
  expect(outliers.length).toBe(await card(page, "outliers"));
  expect(outliers.length).toBeLessThanOrEqual(2);
  expect(purity(documents)).toBeGreaterThanOrEqual(0.95);

  const csv = await download(page, "download-documents-csv");
  expect(csv.name).toMatch(/\.csv$/);
  const rows = parseCsv(csv.text);
  const plain = (path: string) => path.replace(/^'/, "");
  expect(rows.map((row) => [plain(row.path!), row.status, row.cluster])).toEqual(
    documents.map(({ path, status, cluster }) => [path, status, cluster === null ? "" : String(cluster)]),
  );
});

test("a cluster filters everything on the page, and its link can be kept", async ({ page, finished }) => {
  await page.goto(finished);
  const first = page.getByTestId("cluster-row").first();
  const size = Number(await first.getByTestId("cluster-size").innerText());
  await first.getByRole("link").first().click();
  await expect(page).toHaveURL(/cluster=\d+/);
  await expect(page.getByTestId("document-row")).toHaveCount(size);
  await expect(page.getByTestId("matching")).toHaveText(String(size));
  const cluster = new URL(page.url()).searchParams.get("cluster");
  await expect(page.locator(`[data-testid=document-row][data-cluster="${cluster}"]`)).toHaveCount(size);
  await expect(page.getByTestId("heatmap").getByRole("gridcell")).toHaveCount(size * size);
  expect(await card(page, "documents"), "the cards follow").toBe(size);
  await expect(page.getByTestId("card-documents")).toContainText(`of ${ALL}`);

  await page.goto(page.url());
  await expect(page.getByTestId("document-row")).toHaveCount(size);
  await page.getByTestId("filter-clear").click();
  await expect(page.getByTestId("document-row")).toHaveCount(ALL);
});

test("a card leads to the documents behind it", async ({ page, finished }) => {
  await page.goto(finished);
  await page.getByTestId("card-failures").click();
  await expect(page.getByTestId("document-row")).toHaveCount(1);
  await expect(page.locator("[data-testid=document-row][data-status=failed]")).toHaveCount(1);
  await expect(page.getByTestId("failure-reason").first()).toBeVisible();
  await page.getByTestId("failure-reason").first().getByRole("link").first().click();
  await expect(page).toHaveURL(/failure=unsupported_kind/);
  await expect(page.getByTestId("document-row")).toHaveCount(1);
  await expect(page.getByTestId("filter-chip")).toContainText("Unsupported kind");
});

test("a document shows its text and what is near to it", async ({ page, finished }) => {
  await page.goto(finished);
  await page.getByTestId("document-row").filter({ hasText: "01-red-giants" }).getByRole("link").first().click();
  await expect(page).toHaveURL(/\/documents\/[^/]+$/);
  await expect(page.getByTestId("document-text")).toContainText("turning hydrogen into helium");
  const neighbours = page.getByTestId("neighbour");
  expect(await neighbours.count()).toBeGreaterThanOrEqual(3);
  const similarities = (await neighbours.getByTestId("similarity").allInnerTexts()).map(Number);
  expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
  const nearest = await neighbours.first().innerText();
  expect(topicOf(nearest) ?? nearest).toBe("astronomy");
});

test("an unknown address says so and leads back", async ({ page }) => {
  const answer = await page.request.get("/batches/018f0000-0000-7000-8000-000000000000");
  expect(answer.status()).toBe(404);
  const document = await page.request.get("/nowhere");
  expect(document.status()).toBe(404);
});

/** The share of clustered documents that carry the most frequent label of their cluster. */
function purity(documents: DocumentRow[]): number {
  const counts = new Map<number, Map<string, number>>();
  let all = 0;
  for (const { path, cluster, outlier } of documents) {
    const topic = topicOf(path);
    if (cluster === null || outlier || topic === undefined) continue;
    const labels = counts.get(cluster) ?? new Map<string, number>();
    labels.set(topic, (labels.get(topic) ?? 0) + 1);
    counts.set(cluster, labels);
    all++;
  }
  const agreeing = [...counts.values()].reduce((sum, labels) => sum + Math.max(...labels.values()), 0);
  return all === 0 ? 0 : agreeing / all;
}
