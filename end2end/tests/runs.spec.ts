// What the page says before and after a run: what it would take, what a batch's deletion loses, what has changed since; and long
// tables of values.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import { type Page } from "@playwright/test";

import { type FakeModel, fakeModel } from "../support/model.ts";
import { BINARY, Server } from "../support/server.ts";
import { expect, finish, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

const GENES = "TP53 was strongly upregulated in the liver. BRCA1 is expressed in it, too.";

async function created(page: Page, path: string, data: unknown): Promise<{ id: string }> {
  const answer = await page.request.post(path, { data });
  expect(answer.status(), await answer.text()).toBe(201);
  return (await answer.json()) as { id: string };
}

async function ended(page: Page, run: string): Promise<void> {
  const status = async () => (await (await page.request.get(`/api/runs/${run}`)).json()).status as string;
  await expect.poll(status, { timeout: 60_000, intervals: [100] }).toBe("completed");
}

const words = { name: "words", do: "find", what: "genes" };

test("deleting a batch says what runs have of it, and their pages say that it is gone", async ({ page, server }) => {
  const texts = [1, 2, 3].map((n) => ({ name: `${n}.txt`, bytes: Buffer.from(`Study ${n}. ${GENES}`) }));
  const id = await upload(server, "To be deleted after a run", zip(texts));
  await finish(server, id);
  await page.goto(`/batches/${id}/delete`);
  await expect(page.getByTestId("confirm-delete")).toBeVisible();
  await expect(page.getByTestId("used-by-runs")).toHaveCount(0);

  const flow = await created(page, "/api/flows", { name: "Genes", steps: [words] });
  const run = await created(page, "/api/runs", { flow: flow.id, documents: { batches: [id] } });
  await ended(page, run.id);
  await page.reload();
  await expect(page.getByTestId("used-by-runs")).toContainText("1 run used its documents.");
  await expect(page.getByTestId("used-by-runs")).toContainText("(12 values)");
  await expect(page.getByRole("link", { name: "Keep it" })).toBeVisible();
  await page.goto(`/runs/${run.id}`);
  await expect(page.getByTestId("value")).toHaveCount(6);
  await expect(page.getByTestId("since")).toHaveCount(0);

  await page.goto(`/batches/${id}/delete`);
  await page.getByTestId("confirm-delete").click();
  await expect(page).toHaveURL(/\/$/);
  await page.goto(`/runs/${run.id}`);
  await expect(page.getByTestId("value")).toHaveCount(6);
  await expect(page.getByTestId("since")).toHaveCount(6);
  await page.getByTestId("value").first().getByRole("link").first().click();
  await expect(page.getByTestId("since").first()).toContainText("was deleted since");
});

test("a run says that its flow, and the text of its documents, are not what they were", async ({ page: anyPage, browser }) => {
  void anyPage;
  const folder = mkdtempSync(join(tmpdir(), "sheaf-records-"));
  const file = join(folder, "notes.jsonl");
  let data = "";
  const records = (first: string) =>
    writeFileSync(file, [first, ...[2, 3].map((n) => `Study ${n}. ${GENES}`)].map((text, id) => JSON.stringify({ id: `n${id}`, text })).join("\n"));
  const run = (...args: string[]) => {
    const done = spawnSync(BINARY, [...args, "--data", data, "--quiet"], { encoding: "utf8" });
    expect(done.status, done.stderr).toBe(0);
    return done.stdout;
  };
  records(`Study 1. ${GENES}`);
  const server = await Server.start((at) => {
    data = at;
    run("import", file, "--model", "fast");
  });
  const context = await browser.newContext({ baseURL: server.address });
  const page = await context.newPage();
  try {
    const batch = (await (await page.request.get("/api/batches")).json()).items[0].id as string;
    await finish(server, batch);
    const flow = await created(page, "/api/flows", { name: "Genes", steps: [words] });
    const of = await created(page, "/api/runs", { flow: flow.id, documents: { batches: [batch] } });
    await ended(page, of.id);
    await page.goto(`/runs/${of.id}`);
    await expect(page.getByTestId("value")).toHaveCount(6);
    await expect(page.getByTestId("newer-flow")).toHaveCount(0);

    // The flow gets a second version.
    await page.goto(`/flows/${flow.id}`);
    await page.getByLabel("Name", { exact: true }).first().fill("Genes, better");
    await page.getByTestId("save-flow").click();
    await expect(page.getByTestId("saved")).toContainText("Saved as version 2");
    await page.goto(`/runs/${of.id}`);
    await expect(page.getByTestId("newer-flow")).toContainText("is at version 2 now");
    await expect(page.getByTestId("since")).toHaveCount(0);

    // One record gets another text.
    await server.kill();
    records("Study 1, withdrawn. PTEN was not upregulated.");
    expect(run("import", file)).toContain("1 have changed");
    await server.run();
    await page.goto(`/runs/${of.id}`);
    await expect(page.getByTestId("value")).toHaveCount(6);
    await expect(page.getByTestId("since")).toHaveCount(2);
    const old = page.getByTestId("value").filter({ has: page.getByTestId("since") }).first();
    await expect(old).toContainText("TP53");
    await old.getByRole("link").first().click();
    await expect(page.getByTestId("since").first()).toContainText("has changed since");
  } finally {
    await context.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.describe("with a model", () => {
  let model: FakeModel;
  let server: Server;
  test.beforeAll(async () => {
    model = await fakeModel("about");
    const settings = { SHEAF_MODEL_ENDPOINT: model.address, SHEAF_MODEL_NAME: "counting", SHEAF_MODEL_PRICE_IN: "1000", SHEAF_MODEL_PRICE_OUT: "4000" };
    Object.assign(process.env, settings);
    server = await Server.start();
    for (const name of Object.keys(settings)) delete process.env[name];
  });
  test.afterAll(async () => {
    await server.stop();
    await model.stop();
  });

  test("what a run would take is said before it begins, and better when the model is known", async ({ browser }) => {
    const texts = Array.from({ length: 8 }, (_, n) => ({ name: `${n}.txt`, bytes: Buffer.from(`Letter ${n}\n\n${GENES}\n`) }));
    const batch = await upload(server, "Letters", zip(texts));
    await finish(server, batch);
    const context = await browser.newContext({ baseURL: server.address });
    const page = await context.newPage();
    const about = [{ name: "about", kind: "text", description: "what it is about" }];
    const flow = await created(page, "/api/flows", {
      name: "Asked",
      steps: [{ name: "letter", do: "ask", instructions: "What is it about?", rows: "one", max_tokens: 200, fields: about }],
    });
    const range = async (of: string): Promise<[number, number]> => {
      const text = await page.getByTestId("estimate").locator(`dt:text-is("${of}") + dd`).innerText();
      const [from, to] = text.replaceAll(",", "").match(/[\d.]+/g)!.map(Number);
      return [from!, to!];
    };
    await page.goto(`/runs/new?flow=${flow.id}&batch=${batch}`);
    const estimate = page.getByTestId("estimate");
    await expect(estimate).toContainText("Time");
    await expect(estimate).toContainText("Measured on 6 documents");
    await expect(estimate).toContainText("The model was not asked yet");
    await expect(estimate).toContainText("every answer as sent back once");
    const [tokens, money] = [await range("Tokens"), await range("Money")];
    expect(model.asked()).toBe(0);
    expect(tokens[0]).toBeGreaterThan(0);
    expect(tokens[1]).toBeGreaterThan(2 * tokens[0]);
    expect(money[0]).toBeGreaterThan(0);
    expect(money[1]).toBeGreaterThan(money[0]);
    await expect(estimate).toContainText("USD");
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);

    await page.getByTestId("start-run").click();
    await expect(page.getByTestId("run-status")).toHaveAttribute("data-status", "completed", { timeout: 30_000 });
    expect(model.asked()).toBe(8);
    await page.goto(`/runs/new?flow=${flow.id}&batch=${batch}`);
    await expect(estimate).toContainText("latest 8 answers");
    await expect(estimate).toContainText("are sent back because they do not fit");
    expect((await range("Tokens"))[1]).toBeLessThan(tokens[1]);
    await context.close();
  });
});

test("two thousand values are read page by page and judged from the keyboard", async ({ page, server }) => {
  const lines = Array.from({ length: 2000 }, (_, n) => `On ${1 + (n % 28)} May ${1000 + n} it rained.`);
  const id = await upload(server, "Weather", zip([{ name: "weather.txt", bytes: Buffer.from(lines.join("\n\n")) }]));
  await finish(server, id);
  const days = { name: "days", do: "find", what: "dates", sentence: true, limit: 5000 };
  const format = { name: "result", do: "format", file: "csv", columns: [{ from: "days.date", name: "day" }] };
  const flow = await created(page, "/api/flows", { name: "Days", steps: [days, format] });
  const run = await created(page, "/api/runs", { flow: flow.id, documents: { batches: [id] } });
  await ended(page, run.id);
  await page.goto(`/runs/${run.id}`);
  await expect(page.getByTestId("value-count")).toContainText("2,000 values");
  const rows = page.getByTestId("value");
  await expect(rows).toHaveCount(50);
  await page.keyboard.press("a");
  await expect(rows.nth(0).getByTestId("judged")).toHaveText("accepted");
  await page.keyboard.press("x");
  await expect(rows.nth(1).getByTestId("judged")).toHaveText("rejected");
  const seen = new Set<string>();
  for (let at = 0; at < 40; at++) {
    for (const text of await page.locator("[data-testid=value] .value bdi").allInnerTexts()) seen.add(text);
    const next = page.getByRole("link", { name: "Next page" });
    if (at === 39) await expect(next).toHaveCount(0);
    else await page.goto((await next.getAttribute("href"))!);
  }
  expect(seen.size).toBe(2000);
  // The same as a table, a hundred rows at a time.
  await page.goto(`/runs/${run.id}`);
  await page.getByRole("link", { name: "See the table" }).click();
  const days_seen: string[] = [];
  for (;;) {
    days_seen.push(...(await page.getByTestId("result-row").locator("th").allInnerTexts()));
    const next = page.getByRole("link", { name: "Next page" });
    if ((await next.count()) === 0) break;
    await page.goto((await next.getAttribute("href"))!);
  }
  expect(days_seen).toHaveLength(1999);
  const csv = await (await page.request.get(`/api/runs/${run.id}/export?what=table&format=csv`)).text();
  expect(new Set(days_seen).size).toBe(1999);
  expect(csv.trim().split("\n")).toHaveLength(2000);
});
