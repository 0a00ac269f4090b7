// Uploads that are interrupted: by a connection that is cut, by a server that dies, by a page that is reloaded.
import type { Page } from "@playwright/test";

import { Server } from "../support/server.ts";
import { batch, expect, finish, test, untilOverview } from "../support/test.ts";

const COUNT = 150;

// Connections are cut on purpose.
test.use({ cutOff: /\/(api|rpc)\// });

interface Sent {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

/** Texts that are all different, large enough that some groups of them are sent. */
function pile(): Sent[] {
  return Array.from({ length: COUNT }, (_, i) => ({
    name: `letter-${String(i).padStart(3, "0")}.txt`,
    mimeType: "text/plain",
    buffer: Buffer.from(`Letter ${i} about the harbour.\n${`Ship ${i} brought grain, timber and salt. `.repeat(400)}`),
  }));
}

/** The paths that the page sends from now on, as the server acknowledges them. */
function acknowledged(page: Page): string[] {
  const paths: string[] = [];
  page.on("response", async (response) => {
    if (response.request().method() !== "PUT" || !response.ok()) return;
    const received = (await response.json()) as { files: { path: string }[] };
    paths.push(...received.files.map((sent) => sent.path));
  });
  return paths;
}

async function slowDown(page: Page, bytesPerSecond: number): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  });
}

async function begin(page: Page, address: string): Promise<void> {
  await page.goto(address, { waitUntil: "networkidle" });
  await page.locator("form#upload input[name=model][value=fast]").check();
  await page.locator("form#upload input[name=files]").setInputFiles(pile());
  await page.getByRole("button", { name: "Analyse" }).click();
}

async function paths(server: Server, id: string): Promise<string[]> {
  const answer = await fetch(`${server.address}/api/batches/${id}/export?subject=documents&format=json`);
  return ((await answer.json()) as { path: string }[]).map((row) => row.path).sort();
}

const all = pile().map((sent) => sent.name);

test("a connection that is cut is tried again without a hand", async ({ page, server }) => {
  let cuts = 0;
  await page.route("**/api/uploads/*/files", async (route) => {
    // The second request is cut before it is sent, the third after the server did what it was asked to.
    cuts++;
    if (cuts === 2) return route.abort("connectionreset");
    if (cuts === 3) {
      await route.fetch();
      return route.abort("connectionreset");
    }
    return route.continue();
  });
  await begin(page, server.address);
  await expect(page.getByTestId("waiting")).toContainText("Trying again");
  await expect(page).toHaveURL(/\/batches\/[^/]+$/, { timeout: 30_000 });
  const id = page.url().split("/").pop()!;
  await finish(server, id);
  expect(await paths(server, id)).toEqual(all);
  expect(cuts).toBeGreaterThan(4);
});

test("a server that is killed and started again is waited for", async ({ page }) => {
  const server = await Server.start();
  try {
    const sent = acknowledged(page);
    await page.goto(server.address);
    await slowDown(page, 600_000);
    await begin(page, server.address);
    await expect.poll(() => sent.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await server.kill();
    await expect(page.getByTestId("waiting")).toBeVisible({ timeout: 30_000 });
    await server.run();
    await expect(page).toHaveURL(/\/batches\/[^/]+$/, { timeout: 60_000 });
    const id = page.url().split("/").pop()!;
    await finish(server, id);
    expect(await paths(server, id)).toEqual(all);
  } finally {
    await server.stop();
  }
});

test("after a reload the same files are chosen again, and only what is missing is sent", async ({ page, server }) => {
  const before = acknowledged(page);
  // All but the first request stay in the browser: so it is known what has arrived when the page is left.
  let requests = 0;
  await page.route("**/api/uploads/*/files", async (route) => {
    requests++;
    if (requests === 1) await route.continue();
  });
  await begin(page, server.address);
  await expect.poll(() => before.length, { timeout: 30_000 }).toBeGreaterThan(0);
  await page.goto("about:blank");
  await page.unrouteAll({ behavior: "ignoreErrors" });
  const { items } = (await (await fetch(`${server.address}/api/batches?limit=1`)).json()) as { items: { id: string }[] };
  const id = items[0]!.id;
  const uploads = await (await fetch(`${server.address}/api/batches/${id}/uploads`)).json();
  const arrived = await (await fetch(`${server.address}/api/uploads/${uploads[0].id}`)).json();
  const there: string[] = arrived.items.map((sent: { path: string }) => sent.path);
  expect(there.length).toBeGreaterThan(0);
  expect(there.length).toBeLessThan(COUNT);

  await page.goto(`${server.address}/batches/${id}`, { waitUntil: "domcontentloaded" });
  await expect(page.getByTestId("unfinished-line")).toContainText(`${there.length} of ${COUNT} files arrived.`);
  await expect(page.getByRole("button", { name: "Finish with what is there" })).toBeVisible();
  await page.waitForTimeout(1000);
  const after = acknowledged(page);
  const changed = pile();
  // One of those that are there has other bytes now: it is another document.
  const other = changed.find((sent) => sent.name === there[0])!;
  other.buffer = Buffer.from(other.buffer.toString().replace("Ship", "Boat"));
  await page.getByTestId("unfinished").locator("input[name=files]").setInputFiles(changed);
  await expect(page.getByTestId("unfinished")).toBeHidden({ timeout: 30_000 });
  await untilOverview(page);
  const missing = all.filter((path) => !there.includes(path));
  expect([...after].sort()).toEqual([...missing, other.name].sort());
  expect((await batch(server, id)).counts.total).toBe(COUNT + 1);
  expect(await paths(server, id)).toEqual([...all, other.name.replace(".txt", " (2).txt")].sort());
});

test("an interrupted upload is finished with what is there", async ({ page, server }) => {
  const begun = await fetch(`${server.address}/api/uploads`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Half of it", model: "fast", files: 10 }),
  });
  const { id, batch: made } = (await begun.json()) as { id: string; batch: string };
  for (const sent of pile().slice(0, 5)) {
    const put = `${server.address}/api/uploads/${id}/files?path=${sent.name}`;
    expect((await fetch(put, { method: "PUT", body: new Uint8Array(sent.buffer) })).status).toBe(200);
  }
  await page.goto(`/batches/${made}`, { waitUntil: "domcontentloaded" });
  await expect(page.getByTestId("unfinished-line")).toContainText("5 of 10 files arrived.");
  await page.getByRole("button", { name: "Finish with what is there" }).click();
  await untilOverview(page);
  expect((await batch(server, made)).counts.completed).toBe(5);
});
