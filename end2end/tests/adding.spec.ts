// More documents for a batch that is done, with and without JavaScript.
import { texts } from "../support/pile.ts";
import { batch, card, expect, finish, test, untilOverview, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const file = (name: string, text: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });

test("documents are added to a finished batch, which is analysed anew", async ({ page, server }) => {
  const id = await upload(server, "To be continued", zip(texts));
  await finish(server, id);
  await page.goto(`/batches/${id}`, { waitUntil: "networkidle" });
  await page.getByText("Add documents").click();
  const form = page.getByTestId("add-documents");
  await form.locator("input[name=files]").setInputFiles([
    file("harbour.txt", "Ships lie in the harbour in winter; ice covers the quay and the cranes stand still."),
    file("ferry.txt", "The ferry leaves the harbour at noon; in winter the ice keeps it at the quay."),
  ]);
  await form.getByRole("button", { name: "Add to this batch" }).click();
  await expect.poll(async () => (await batch(server, id)).counts.total).toBe(texts.length + 2);
  await expect(page).toHaveURL(new RegExp(`/batches/${id}$`));
  await untilOverview(page);
  expect(await card(page, "documents")).toBe(texts.length + 2);
  await expect(page.getByTestId("document-row").filter({ hasText: "ferry.txt" })).toHaveCount(1);
});

test("a batch has a page of its own for adding", async ({ page, server, finished }) => {
  const before = (await batch(server, finished.split("/").pop()!)).counts.total;
  await page.goto(`${finished}/add`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Add documents");
  await expect(page.getByTestId("add-documents").getByRole("button", { name: "Add to this batch" })).toBeVisible();
  expect((await batch(server, finished.split("/").pop()!)).counts.total).toBe(before);
  expect((await page.request.get("/batches/018f0000-0000-7000-8000-000000000000/add")).status()).toBe(404);
});
