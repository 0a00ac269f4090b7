// The pages of a document as pictures: those of a PDF, and a picture of a page whose text is recognised.
import { type Page } from "@playwright/test";

import { pdf } from "../support/pdf.ts";
import { expect, finish, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const LOG = ["The harbour log of spring", "The harbour log of summer", "The harbour log of autumn"];

async function open(page: Page, batch: string, name: string): Promise<void> {
  await page.goto(`/batches/${batch}`);
  await page.getByTestId("document-row").filter({ hasText: name }).getByRole("link").first().click();
  await expect(page.getByTestId("document")).toBeVisible();
}

async function isDrawn(page: Page, picture: string): Promise<void> {
  const image = page.locator(picture);
  await expect(image).toBeVisible();
  await expect.poll(() => image.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBeGreaterThan(100);
}

test("a page is chosen, read beside its picture, and left again", async ({ page, server }) => {
  const id = await upload(server, "A log", zip([{ name: "log.pdf", bytes: pdf(LOG) }]));
  await finish(server, id);
  await open(page, id, "log.pdf");
  await expect(page.getByTestId("page-link")).toHaveCount(3);
  await isDrawn(page, "[data-testid=page-link] >> nth=0 >> img");
  await page.getByTestId("page-link").nth(1).click();
  await expect(page).toHaveURL(/page=2/);
  await expect(page.getByTestId("page-text")).toHaveText(LOG[1]!);
  await isDrawn(page, ".chosen-picture img");
  await page.getByRole("link", { name: "Next page" }).click();
  await expect(page.getByTestId("page-text")).toHaveText(LOG[2]!);
  await expect(page.getByRole("link", { name: "Next page" })).toHaveCount(0);
  await page.getByRole("link", { name: "Close" }).click();
  await expect(page.getByTestId("page")).toHaveCount(0);
});

test("the text of a picture is recognised, and its words are marked", async ({ page, server }) => {
  // Drawn by the product itself: a page of a PDF as a picture is what a scanner would send.
  const drawn = await upload(server, "To be drawn", zip([{ name: "log.pdf", bytes: pdf(LOG) }]));
  await finish(server, drawn);
  const rows = await (await fetch(`${server.address}/api/batches/${drawn}/documents`)).json();
  const picture = await fetch(`${server.address}/api/batches/${drawn}/documents/${rows.items[0].id}/pages/1/picture?width=1600`);
  expect(picture.headers.get("content-type")).toBe("image/webp");
  const scan = Buffer.from(await picture.arrayBuffer());

  const id = await upload(server, "A scan", zip([{ name: "scan.webp", bytes: scan }]));
  await finish(server, id);
  await open(page, id, "scan.webp");
  await expect(page.getByTestId("document-text")).toHaveText(LOG[0]!);
  await expect(page.getByTestId("recognised")).toContainText("recognised on a picture");
  await page.getByTestId("page-link").click();
  await expect(page.getByTestId("page-recognition")).toContainText("confidence");
  await expect(page.locator(".chosen-words rect")).toHaveCount(5);
});
