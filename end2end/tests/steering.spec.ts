// What a person does to a batch that runs or has run, with and without JavaScript: cancel, continue, try again.
import { largePile, texts } from "../support/pile.ts";
import { endlessPdf } from "../support/pdf.ts";
import { batch, card, expect, remove, test, untilOverview, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const DAMAGED = { name: "odd/damaged.pdf", bytes: Buffer.from("%PDF-1.4\nnothing of what a PDF needs\n") };
const UNKNOWN = { name: "odd/dump.bin", bytes: Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167 + 13) % 256)) };

test("a batch is cancelled in the middle, continued and done", async ({ page, server }) => {
  const id = await upload(server, "Stopped half-way", largePile(150, "the reading room"));
  await expect.poll(async () => (await batch(server, id)).counts.completed, { intervals: [50] }).toBeGreaterThan(0);
  await page.goto(`/batches/${id}`);
  await page.getByTestId("cancel").click();
  await expect(page.getByTestId("what-is-kept")).toHaveText(/\d documents? (are|is) done .*[\d,]+ will be cancelled; you can continue later\./);
  await page.getByTestId("confirm-cancel").click();
  await expect(page.getByTestId("stopped")).toContainText("can be continued at any time");
  await expect(page).toHaveURL(`${server.address}/batches/${id}`);

  const stopped = await batch(server, id);
  expect(stopped.status).toBe("cancelled");
  expect(stopped.counts.cancelled, "it was stopped too late to show anything").toBeGreaterThan(0);
  expect(stopped.counts.completed).toBeGreaterThan(0);
  expect(stopped.counts.completed! + stopped.counts.cancelled!).toBe(stopped.counts.total);
  await expect(page.getByTestId("no-clusters")).toHaveCount(0);
  await page.goto(`/batches/${id}/cancel`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("It does not run any more");

  await page.goto(`/batches/${id}`);
  await page.getByTestId("stopped").getByRole("button", { name: "Continue" }).click();
  await expect(page.getByTestId("progress")).toBeVisible();
  await untilOverview(page);
  const done = await batch(server, id);
  expect(done.status).toBe("completed");
  expect(done.counts.completed).toBe(stopped.counts.total);
  await expect(page.getByTestId("stopped")).toHaveCount(0);
  expect(await card(page, "documents")).toBe(stopped.counts.total);
});

test("what failed for one reason is tried again, and its attempts are listed", async ({ page, server }) => {
  const id = await upload(server, "Two odd ones", zip([...texts, DAMAGED, UNKNOWN]));
  await page.goto(`/batches/${id}`);
  await untilOverview(page);
  const reasons = page.getByTestId("failure-reason");
  await expect(reasons).toHaveCount(2);
  await expect(page.getByRole("heading", { name: "While reading" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Try all 2 again" })).toBeVisible();

  await page.locator("[data-testid=failure-reason][data-code=corrupt_file]").getByTestId("restart").click();
  await expect.poll(async () => (await attempts("damaged")).length, { timeout: 60_000 }).toBe(2);
  expect(await attempts("dump"), "the other reason was left alone").toHaveLength(1);
  await page.goto(`/batches/${id}`);
  await untilOverview(page);
  await expect(reasons).toHaveCount(2);

  await page.getByTestId("document-row").filter({ hasText: "damaged.pdf" }).getByRole("link").first().click();
  await expect(page.getByTestId("attempt")).toHaveCount(2);
  await expect(page.getByTestId("attempt").first()).toContainText("While reading, attempt 1");
  await page.getByRole("button", { name: "Try again" }).click();
  // The page comes back by itself as long as the document is in work.
  await expect(page.getByTestId("attempt")).toHaveCount(3, { timeout: 60_000 });
  await expect(page.getByTestId("document")).toHaveAttribute("data-status", "failed", { timeout: 60_000 });

  async function attempts(name: string): Promise<unknown[]> {
    const found = await (await fetch(`${server.address}/api/batches/${id}/documents?q=${name}`)).json();
    const document = found.items[0].id;
    return (await fetch(`${server.address}/api/batches/${id}/documents/${document}/attempts`)).json();
  }
});

test("one failure stops a batch that is to stop, and the page names the document", async ({ page, server }) => {
  const archive = zip([{ name: "slow.pdf", bytes: endlessPdf() }, DAMAGED]);
  const id = await upload(server, "All or nothing", archive, { on_error: "fail_all" });
  await page.goto(`/batches/${id}`);
  await untilOverview(page);
  await expect(page.getByTestId("failure").first()).toContainText("damaged.pdf");
  await expect(page.getByTestId("stopped")).toContainText("1 was stopped");
  expect((await batch(server, id)).counts).toMatchObject({ failed: 1, cancelled: 1 });
  await remove(server, id);
});
