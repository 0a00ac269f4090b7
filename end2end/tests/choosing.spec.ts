// Before and after a batch: folders that are dropped, an upload that is stopped, a batch that is left and deleted.
import { mkdtempSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { largePile } from "../support/pile.ts";
import { expect, test, untilOverview, upload } from "../support/test.ts";

test("a folder that is dropped is walked to its last file", async ({ page }) => {
  const folder = join(mkdtempSync(join(tmpdir(), "sheaf-drop-")), "papers");
  mkdirSync(join(folder, "deep/deeper"), { recursive: true });
  // More than the hundred entries that a browser hands out at a time.
  for (let i = 0; i < 120; i++) writeFileSync(join(folder, `${i}.txt`), `The text of number ${i}`);
  writeFileSync(join(folder, "deep/deeper/last.md"), "# The last");
  writeFileSync(join(folder, "deep/.DS_Store"), "left out");
  await page.goto("/");
  await page.waitForLoadState("networkidle");

  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  const drag = (type: "dragEnter" | "dragOver" | "drop") =>
    devtools.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
  await drag("dragEnter");
  await drag("dragOver");
  await drag("drop");
  await expect(page.getByTestId("picked-file")).toHaveCount(121);
  await expect(page.getByTestId("picked-file").filter({ hasText: "papers/deep/deeper/last.md" })).toHaveCount(1);

  await page.locator("form#upload input[name=model][value=fast]").check();
  await page.getByRole("button", { name: "Analyse" }).click();
  await expect(page).toHaveURL(/\/batches\/[^/]+$/);
  await untilOverview(page);
  await expect(page.getByTestId("card-documents")).toContainText("121");
});

test("an upload that is stopped leaves no batch and keeps what was chosen", async ({ page, server }) => {
  const before = await (await fetch(`${server.address}/api/batches`)).json();
  await page.goto("/");
  await page.waitForLoadState("networkidle");
  const slow = await page.context().newCDPSession(page);
  await slow.send("Network.enable");
  await slow.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 50_000,
  });
  const file = { name: "big.txt", mimeType: "text/plain", buffer: Buffer.alloc(2_000_000, "many words ") };
  await page.locator("form#upload input[name=files]").setInputFiles(file);
  await page.getByRole("button", { name: "Analyse" }).click();
  await expect(page.getByTestId("sending")).toBeVisible();
  await page.getByRole("button", { name: "Stop the upload" }).click();
  await expect(page.getByTestId("sending")).toBeHidden();
  await expect(page.getByTestId("picked-file")).toHaveCount(1);
  const after = await (await fetch(`${server.address}/api/batches`)).json();
  expect(after.total).toBe(before.total);
});

test("a document is removed after a question, and the rest is grouped anew", async ({ page, server }) => {
  const id = await upload(server, "One too many", largePile(6));
  await page.goto(`/batches/${id}`);
  await untilOverview(page);
  const row = page.getByTestId("document-row").first();
  const name = (await row.getByRole("link").first().innerText()).trim();
  await row.getByRole("checkbox").check();
  await page.getByTestId("do-remove").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Remove 1 document?");
  await expect(page.getByTestId("remove-page")).toContainText(name);
  await page.getByTestId("confirm-remove").click();
  await expect(page).toHaveURL(`${server.address}/batches/${id}`);
  await untilOverview(page);
  await expect(page.getByTestId("card-documents")).toContainText("35");
  await expect(page.getByTestId("document-row")).toHaveCount(35);
  await page.getByRole("link", { name: "Run a flow" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("New run");
});

test("a batch survives a reload, is deleted after a question, and a new one begins", async ({ page, server }) => {
  const id = await upload(server, "To be deleted", largePile(2));
  await page.goto(`/batches/${id}`);
  await page.reload();
  await untilOverview(page);
  await page.goto("/");
  await expect(page.getByText("To be deleted")).toBeVisible();
  await page.goto(`/batches/${id}`);
  await page.getByRole("link", { name: "Delete this batch" }).click();
  await page.getByTestId("confirm-delete").click();
  await expect(page).toHaveURL(`${server.address}/`);
  await expect(page.getByText("To be deleted")).toHaveCount(0);
  expect((await fetch(`${server.address}/api/batches/${id}`)).status).toBe(404);
  await expect(page.getByRole("button", { name: "Analyse" })).toBeVisible();
});
