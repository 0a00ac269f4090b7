// Clusters that people change: renamed, merged, split, moved and taken back; they stay so when documents are added.
import { AxeBuilder } from "@axe-core/playwright";

import type { Server } from "../support/server.ts";
import { expect, finish, remove, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const topics = {
  sport: "The striker scored a goal in the football match and the goalkeeper of the league club was beaten",
  budget: "Parliament debated the tax budget and the minister defended spending before the vote on the deficit",
  music: "The violin concert of the orchestra opened with a symphony and the conductor praised the soloist",
  health: "The vaccine trial showed that patients in the hospital recovered from the virus with fewer doses",
  space: "The satellite rocket reached orbit and the astronauts of the mission repaired the telescope",
};

function about(names: (keyof typeof topics)[], from: number, to: number) {
  return names.flatMap((name) =>
    Array.from({ length: to - from }, (_, at) => {
      const number = from + at;
      const words = topics[name].split(" ");
      const turned = words.map((_, i) => words[(i + number) % words.length]).join(" ");
      return { name: `${name}-${number}.txt`, bytes: Buffer.from(`${topics[name]}. ${turned}. Report number ${number} on ${name}.`) };
    }),
  );
}

/** Adds documents about a topic that is there and one that is new. */
async function add(server: Server, id: string): Promise<void> {
  const form = new FormData();
  form.append("files", new Blob([new Uint8Array(zip(about(["sport", "space"], 8, 15)))], { type: "application/zip" }), "more.zip");
  const answer = await fetch(`${server.address}/api/batches/${id}/documents`, { method: "POST", body: form });
  expect(answer.status, await answer.clone().text()).toBeLessThan(300);
  await finish(server, id);
}

const first = about(["sport", "budget", "music", "health"], 0, 8);

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("clusters are changed by hand and last", async ({ page, server }) => {
      const id = await upload(server, "Topics", zip(first));
      await finish(server, id);
      await page.goto(`/batches/${id}`);
      await expect(page.getByTestId("cluster-row")).toHaveCount(4);
      const row = page.getByTestId("cluster-row").filter({ hasText: /goal|striker|football/ });
      await row.getByTestId("change-cluster").click();
      await expect(page.getByTestId("cluster-page")).toBeVisible();
      const address = new URL(page.url()).pathname;
      await expect(page.getByRole("blockquote").first()).toContainText(/goal/);
      await expect(page.getByTestId("no-edits")).toBeVisible();

      await page.getByTestId("rename").getByLabel("Name").fill("Balls and games");
      await page.getByTestId("rename").getByRole("button").click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Balls and games");
      await expect(page.locator(".cluster-head")).toContainText("named by a person");

      await page.getByTestId("merge").getByRole("checkbox", { name: /violin|concert|orchestra/ }).check();
      await page.getByTestId("merge").getByRole("button").click();
      await expect(page.getByTestId("member")).toHaveCount(16);
      await expect(page.locator(".cluster-head")).toContainText("changed by a person");
      await page.getByTestId("split").getByRole("button").click();
      await expect(page.getByTestId("member")).toHaveCount(8);
      await expect(page.getByTestId("edit")).toHaveCount(3);
      await page.getByRole("button", { name: /Take back: .* split/ }).click();
      await expect(page.getByTestId("member")).toHaveCount(16);

      // Ticked in the table of the batch, moved on a page of its own.
      await page.goto(`/batches/${id}?q=budget-3#documents`);
      await page.getByRole("checkbox", { name: /budget-3\.txt/ }).check();
      await page.getByTestId("do-move").click();
      await expect(page.getByTestId("move-page")).toContainText("budget-3.txt");
      await page.getByLabel("Move to").selectOption({ label: await page.getByLabel("Move to").locator("option", { hasText: "Balls and games" }).innerText() });
      await page.getByTestId("do-move").click();
      await expect(page.getByTestId("member")).toHaveCount(17);
      await expect(page).toHaveURL(address);

      // From the page of a document.
      await page.goto(`/batches/${id}?q=health-2#documents`);
      await page.getByTestId("document-row").getByRole("link", { name: /health-2/ }).click();
      await page.getByTestId("move-document").click();
      await page.getByLabel("Move to").selectOption("outliers");
      await page.getByTestId("do-move").click();
      await expect(page.getByTestId("overview")).toBeVisible();

      await add(server, id);
      await page.goto(`/batches/${id}`);
      await expect(page.getByTestId("cluster-news")).toContainText("14 documents added");
      await page.getByTestId("cluster-news").locator("summary").click();
      await expect(page.getByTestId("cluster-news").getByText(/^New:/)).toBeVisible();
      const kept = page.getByTestId("cluster-row").filter({ hasText: "Balls and games" });
      await expect(kept).toContainText("Named and changed by a person");
      await kept.getByTestId("change-cluster").click();
      await expect(page).toHaveURL(address);
      await expect(page.getByTestId("member")).toHaveCount(24);
      await page.goto(`/batches/${id}?cluster=outliers`);
      await expect(page.getByTestId("document-row").filter({ hasText: "health-2" })).toHaveCount(1);
      await remove(server, id);
    });
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on a cluster in ${colorScheme}, at every width`, async ({ page, server }, info) => {
    await page.emulateMedia({ colorScheme });
    const id = await upload(server, "Topics", zip(first));
    await finish(server, id);
    const api = `${server.address}/api/batches/${id}`;
    const clusters = (await (await fetch(`${api}/clusters`)).json()) as { id: number }[];
    const [one, other] = [clusters[0]!.id, clusters[1]!.id];
    const post = async (change: object) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${api}/cluster-edits`, { method: "POST", headers, body: JSON.stringify(change) });
      expect(answer.status).toBe(201);
    };
    await post({ kind: "rename", cluster: one, name: "A name that a person gave, and that is long enough to need a second line" });
    await post({ kind: "merge", clusters: [other], into: one });
    await fetch(`${api}/cluster-edits/2`, { method: "DELETE" });
    await post({ kind: "merge", clusters: [other], into: one });
    await add(server, id);
    const listed = (await (await fetch(`${api}/documents`)).json()) as { items: { id: string }[] };
    const someone = listed.items[0]!.id;
    const addresses = { cluster: `/batches/${id}/clusters/${one}`, move: `/batches/${id}/move?documents=${someone}`, batch: `/batches/${id}` };
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const [name, address] of Object.entries(addresses)) {
        await page.goto(address, { waitUntil: "networkidle" });
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out").toBe(true);
        await page.screenshot({ path: info.outputPath(`${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    await remove(server, id);
  });
}
