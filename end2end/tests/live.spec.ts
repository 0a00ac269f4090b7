// A batch's page while it runs: numbers that grow by themselves, the overview in the same page, and then silence.
import { largePile, texts } from "../support/pile.ts";
import { endlessPdf } from "../support/pdf.ts";
import { Server } from "../support/server.ts";
import { expect, remove, test, untilOverview, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

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

test("the page is told what happens, and says so", async ({ page, server }) => {
  const id = await upload(server, "Told", zip([...texts, { name: "slow.pdf", bytes: endlessPdf() }]));
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`/batches/${id}`);
  await expect(page.getByTestId("link")).toHaveText("Live");
  await expect(page.getByTestId("count-completed")).toHaveText(String(texts.length), { timeout: 60_000 });
  await expect(page.getByTestId("live-row").filter({ hasText: "slow.pdf" })).toContainText(/Reading, page [\d,]+ of 4,000/);
  await expect(page.getByTestId("grid").locator("i")).toHaveCount(texts.length + 1);
  await expect(page.getByTestId("grid").locator("i.f8")).toHaveCount(texts.length);
  await expect(page.getByTestId("grid")).toHaveAttribute("aria-label", /\d+ done, 1 in work/);
  await expect(page.getByTestId("stage").first()).toContainText("/");
  await expect(page.getByTestId("estimate")).toHaveText(/left|not known yet/);
  expect(asked.filter((path) => path.endsWith("/progress")), "it need not ask").toEqual([]);

  // It is deleted somewhere else.
  await remove(server, id);
  await expect(page.getByTestId("failure")).toContainText("This batch was deleted.");
});

test.describe("when the stream is cut", () => {
  test.use({ cutOff: /\/(events|progress|grid)\b/ });

  test("the page asks every two seconds, and listens again later", async ({ page, server }) => {
    const id = await upload(server, "Cut off", zip([...texts, { name: "slow.pdf", bytes: endlessPdf() }]));
    await page.route("**/events", (route) => route.abort());
    await page.goto(`/batches/${id}`);
    await expect(page.getByTestId("link")).toHaveText("Every 2 s");
    await expect(page.getByTestId("count-completed")).toHaveText(String(texts.length), { timeout: 60_000 });
    await page.unroute("**/events");
    await expect(page.getByTestId("link")).toHaveText("Live", { timeout: 60_000 });
    await remove(server, id);
  });

  test("a server that is gone for a while is waited for, and the batch ends on the same page", async ({ page }) => {
    const server = await Server.start();
    try {
      const id = await upload(server, "Waited for", largePile(100));
      await page.goto(`${server.address}/batches/${id}`);
      await expect(page.getByTestId("link")).toHaveText("Live");
      await page.evaluate(() => (document.body.dataset.mark = "same page"));
      await server.kill();
      await expect(page.getByTestId("link")).toHaveText("Connection lost, trying again");
      await server.run();
      await untilOverview(page);
      expect(await page.evaluate(() => document.body.dataset.mark)).toBe("same page");
    } finally {
      await server.stop();
    }
  });
});
