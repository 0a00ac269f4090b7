// A batch's page while it runs: numbers that grow by themselves, the overview in the same page, and then silence.
import { largePile } from "../support/pile.ts";
import { expect, test, untilOverview, upload } from "../support/test.ts";

test("progress grows without a reload, turns into the overview and then asks no more", async ({ page, server }) => {
  const id = await upload(server, "Many copies", largePile(150));
  await page.goto(`/batches/${id}`);
  await expect(page.getByTestId("progress")).toBeVisible();
  await page.evaluate(() => (document.body.dataset.mark = "same page"));
  const seen = new Set<string>();
  const completed = page.getByTestId("count-completed");
  while (await page.getByTestId("progress").isVisible()) {
    seen.add((await completed.textContent({ timeout: 1000 }).catch(() => "")) ?? "");
    await page.waitForTimeout(300);
  }
  await untilOverview(page);
  expect(seen.size, `completed was shown as ${[...seen].join(", ")}`).toBeGreaterThan(1);
  expect(await page.evaluate(() => document.body.dataset.mark)).toBe("same page");

  let requests = 0;
  page.on("request", () => requests++);
  await page.waitForTimeout(5000);
  expect(requests, "requests in five seconds after the end").toBe(0);
});

test("a second tab shows the same", async ({ page, context, server }) => {
  const id = await upload(server, "Two tabs", largePile(2));
  const other = await context.newPage();
  await Promise.all([page.goto(`/batches/${id}`), other.goto(`/batches/${id}`)]);
  await Promise.all([untilOverview(page), untilOverview(other)]);
  const rows = (tab: typeof page) => tab.getByTestId("document-row").allInnerTexts();
  expect(await rows(page)).toEqual(await rows(other));
});

test("picked files are listed and can be removed before anything is sent", async ({ page }) => {
  await page.goto("/");
  const button = page.getByRole("button", { name: "Analyse" });
  await expect(button).toBeDisabled();
  const file = (name: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`The text of ${name}`) });
  await page.locator("form#upload input[name=files]").setInputFiles([file("a.txt"), file("b.txt")]);
  await expect(page.getByTestId("picked-file")).toHaveCount(2);
  await page.getByTestId("picked-file").first().getByRole("button").click();
  await expect(page.getByTestId("picked-file")).toHaveCount(1);
  await expect(button).toBeEnabled();
});
