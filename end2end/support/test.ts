// The test of this suite: a server for each worker, a batch of the pile where one is asked for, and no error in the console.
import { readFileSync } from "node:fs";

import { type Page, expect, test as base } from "@playwright/test";

import { pile } from "./pile.ts";
import { Server } from "./server.ts";

interface PerWorker {
  server: Server;
  /** The path of a finished batch of the pile, made once through the API. */
  finished: string;
}

interface PerTest {
  /** What the browser itself may report about requests that a test cuts off: a part of their address. */
  cutOff: RegExp | undefined;
  quiet: void;
}

export const test = base.extend<PerTest, PerWorker>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
  finished: [
    async ({ server }, use) => {
      const id = await upload(server, "The pile", pile());
      await finish(server, id);
      await use(`/batches/${id}`);
    },
    { scope: "worker" },
  ],
  baseURL: async ({ server }, use) => use(server.address),
  cutOff: [undefined, { option: true }],
  quiet: [
    async ({ page, cutOff }, use) => {
      const complaints: string[] = [];
      page.on("console", (message) => {
        // The browser reports the 404 of a page that a test asks for on purpose.
        const { url } = message.location();
        const wanted = url.endsWith("/nowhere") || (cutOff?.test(url) && message.text().includes("net::ERR_"));
        if (message.type() === "error" && !wanted) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      await use();
      expect(complaints, "errors in the console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Sends a ZIP through the API; the id of its batch. `fields` are those of the form. */
export async function upload(
  server: Server,
  name: string,
  archive: Buffer,
  fields: Record<string, string> = {},
): Promise<string> {
  const form = new FormData();
  form.append("name", name);
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append("files", new Blob([new Uint8Array(archive)], { type: "application/zip" }), "pile.zip");
  const answer = await fetch(`${server.address}/api/batches`, { method: "POST", body: form });
  expect(answer.status, await answer.clone().text()).toBeLessThan(300);
  const batch = (await answer.json()) as { id: string };
  return batch.id;
}

/** The batch as the API tells it. */
export async function batch(server: Server, id: string): Promise<{ status: string; counts: Record<string, number> }> {
  const answer = await fetch(`${server.address}/api/batches/${id}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { status: string; counts: Record<string, number> };
}

/** Deletes a batch, which also stops it. */
export async function remove(server: Server, id: string): Promise<void> {
  expect((await fetch(`${server.address}/api/batches/${id}`, { method: "DELETE" })).status).toBe(204);
}

export async function finish(server: Server, id: string): Promise<void> {
  await expect
    .poll(async () => (await batch(server, id)).status, { timeout: 90_000, intervals: [200] })
    .toMatch(/completed|failed/);
}

/** Follows a download link and returns what it saves. */
export async function download(page: Page, testId: string): Promise<{ name: string; text: string }> {
  const saving = page.waitForEvent("download");
  await page.getByTestId(testId).click();
  const saved = await saving;
  return { name: saved.suggestedFilename(), text: readFileSync(await saved.path(), "utf8") };
}

/** Without script a page comes back by itself while its batch runs; with script it changes in place. */
export async function untilOverview(page: Page): Promise<void> {
  await expect(page.getByTestId("overview")).toBeVisible({ timeout: 90_000 });
}

/** The number in a card. */
export async function card(page: Page, name: string): Promise<number> {
  const text = await page.getByTestId(`card-${name}`).locator(".figure-value").innerText();
  return Number(text.replaceAll(/[^\d.]/g, ""));
}
