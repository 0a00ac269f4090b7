// Names and texts of documents are data: they are shown as they are and never run, on the page or in a spreadsheet.
import { parseCsv } from "../support/csv.ts";
import { HOSTILE_NAME, UNSUPPORTED_NAME } from "../support/pile.ts";
import { download, expect, test } from "../support/test.ts";

test("a name that is markup is shown as text everywhere", async ({ page, finished }) => {
  await page.goto(finished);
  const row = page.getByTestId("document-row").filter({ hasText: HOSTILE_NAME });
  await expect(row).toHaveCount(1);
  await expect(page.locator("img[src=x]")).toHaveCount(0);
  await row.getByRole("link").first().click();
  await expect(page.getByTestId("document-text")).toContainText("<script>document.title = 'taken'</script>");
  await expect(page.locator("img[src=x]")).toHaveCount(0);
  await expect(page).not.toHaveTitle(/^taken/);
});

test("no cell of the CSV begins as a formula", async ({ page, finished }) => {
  await page.goto(finished);
  const { text } = await download(page, "download-documents-csv");
  const cells = parseCsv(text).flatMap((row) => Object.values(row));
  expect(cells.filter((cell) => /^[=+@\t\r]/.test(cell) || /^-[^\d.]/.test(cell))).toEqual([]);
});

test("an unsupported file is a failed document with a reason", async ({ page, finished }) => {
  await page.goto(`${finished}?status=failed`);
  const row = page.getByTestId("document-row").filter({ hasText: UNSUPPORTED_NAME });
  await expect(row).toHaveAttribute("data-status", "failed");
  await expect(page.locator("[data-testid=failure-reason][data-code=unsupported_kind]")).toBeVisible();
});

test("the page is sent with the headers that keep it safe", async ({ page, finished }) => {
  const { headers } = { headers: (await page.request.get(finished)).headers() };
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["content-security-policy"]).toMatch(/script-src [^;]*'nonce-/);
  expect(headers["content-security-policy"]).not.toContain("unsafe-inline");
});

test("another site cannot make a batch", async ({ page, server }) => {
  const answer = await page.request.post("/api/batches", {
    headers: { origin: "https://elsewhere.example", "sec-fetch-site": "cross-site" },
    multipart: { name: "x", files: { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") } },
  });
  expect(answer.status()).toBe(403);
  expect(((await answer.json()) as { code: string }).code).toBe("cross_site");
  expect(server.address).toContain("127.0.0.1");
});
