// The map: its points, names and filters, the lasso and what is done with it, by pointer, by keyboard, and without JavaScript.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { READABLE } from "../support/pile.ts";
import { expect, test } from "../support/test.ts";

/** Opens the map and waits until its points are there. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByTestId("map")).toHaveAttribute("data-points", String(READABLE));
}

/** Pixels of the canvas that are not of its commonest colour, the paper. */
async function painted(page: Page): Promise<number> {
  return page.getByTestId("map-canvas").evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const context = (canvas as HTMLCanvasElement).getContext("2d");
    const pixels = new Uint32Array(context?.getImageData(0, 0, width, height).data.buffer ?? new ArrayBuffer(0));
    const counts = new Map<number, number>();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    return pixels.length - Math.max(...counts.values());
  });
}

/** Where a document is that no name covers, nor comes nearer to than so many pixels, in pixels of the page. */
async function place(page: Page, around = 0): Promise<{ x: number; y: number }> {
  const source = await page.getByTestId("map").getAttribute("data-map");
  return page.getByTestId("map-canvas").evaluate(async (canvas, [address, around]) => {
    const map = await (await fetch(address ?? "")).json();
    const box = canvas.getBoundingClientRect();
    const most = (values: number[]) => Math.max(...values.map(Math.abs)) / 32767;
    const scale = Math.min((box.width / 2 - 28) / most(map.x), (box.height / 2 - 28) / most(map.y));
    const places = map.x.map((x: number, row: number) => ({
      x: box.left + box.width / 2 + (x / 32767) * scale,
      y: box.top + box.height / 2 - (map.y[row] / 32767) * scale,
    }));
    const beside = [-around, 0, around];
    const isFree = ({ x, y }: { x: number; y: number }) =>
      beside.every((dx) => beside.every((dy) => document.elementFromPoint(x + dx, y + dy) === canvas));
    const free = places.find(isFree);
    if (!free) throw new Error("every point is under a name");
    return free;
  }, [source, around] as const);
}

/** Draws a lasso around everything. */
async function lasso(page: Page): Promise<void> {
  const box = await page.getByTestId("map-canvas").boundingBox();
  if (!box) throw new Error("there is no canvas");
  const [left, top, right, bottom] = [box.x + 3, box.y + 3, box.x + box.width - 3, box.y + box.height - 3];
  await page.getByRole("button", { name: "Lasso" }).click();
  await page.mouse.move(left, top);
  await page.mouse.down();
  for (const [x, y] of [[right, top], [right, bottom], [left, bottom], [left, top + 4]] as const) {
    await page.mouse.move(x, y, { steps: 5 });
  }
  await page.mouse.up();
}

test("every document is a point that says its name and opens", async ({ page, finished }) => {
  await open(page, `${finished}/map`);
  await expect(page.getByTestId("map")).toHaveAttribute("data-coloured", String(READABLE));
  expect(await painted(page)).toBeGreaterThan(READABLE * 10);
  const { x, y } = await place(page);
  await page.mouse.move(x, y);
  await expect(page.locator(".map-tip-name")).toBeVisible();
  const said = await page.locator(".map-tip-name").innerText();
  await page.mouse.down();
  await page.mouse.up();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(said.split("/").pop() ?? "a name");
  await page.goBack();
  await expect(page.getByTestId("map")).toHaveAttribute("data-points", String(READABLE));
});

test("filters grey what they leave out, and lead from page to page", async ({ page, finished }) => {
  await page.goto(`${finished}?kind=text`);
  const matching = await page.getByTestId("matching").innerText();
  await page.getByTestId("map-picture").click();
  await expect(page).toHaveURL(/\/map\?kind=text/);
  await expect(page.getByTestId("map")).toHaveAttribute("data-coloured", matching);
  await expect(page.getByTestId("map")).toHaveAttribute("data-points", String(READABLE));
  await page.getByLabel("Search names and texts").fill("bread");
  await page.getByLabel("Search names and texts").press("Enter");
  await expect(page).toHaveURL(/kind=text&q=bread/);
  await expect(page.getByTestId("map")).toHaveAttribute("data-points", String(READABLE));
  expect(Number(await page.getByTestId("map").getAttribute("data-coloured"))).toBeLessThan(Number(matching));
  await page.getByTestId("map-name").first().focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/cluster=.*kind=text&q=bread/);
  await page.goBack();
  await expect(page).not.toHaveURL(/cluster=/);
  await page.getByTestId("filter-clear").click();
  await expect(page).toHaveURL(/\/map$/);
  await expect(page.getByTestId("map")).toHaveAttribute("data-coloured", String(READABLE));
});

test("a lasso chooses, stands in the address, and its documents are exported", async ({ page, finished }) => {
  await open(page, `${finished}/map`);
  await lasso(page);
  await expect(page.getByTestId("all-matching")).toHaveText(`the ${READABLE} in the lasso`);
  await expect(page).toHaveURL(/#lasso=/);
  await page.reload();
  await expect(page.getByTestId("all-matching")).toHaveText(`the ${READABLE} in the lasso`);
  const saving = page.waitForEvent("download");
  await page.getByTestId("do-csv").click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toMatch(/documents\.csv$/);
  const stream = await saved.createReadStream();
  let text = "";
  for await (const piece of stream) text += String(piece);
  expect(text.trim().split("\n")).toHaveLength(READABLE + 1);
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("all-matching")).toHaveText(`all ${READABLE} that match`);
  await page.goBack();
  await expect(page.getByTestId("all-matching"), "the back button brings the lasso back").toContainText("in the lasso");
});

test("part of the map in a lasso leaves the rest grey", async ({ page, finished }) => {
  await open(page, `${finished}/map`);
  const { x, y } = await place(page, 6);
  await page.keyboard.down("Shift");
  await page.mouse.move(x - 6, y - 6);
  await page.mouse.down();
  for (const [dx, dy] of [[6, -6], [6, 6], [-6, 6], [-6, -2]] as const) await page.mouse.move(x + dx, y + dy, { steps: 3 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect(page.getByTestId("all-matching")).toContainText("in the lasso");
  const coloured = Number(await page.getByTestId("map").getAttribute("data-coloured"));
  expect(coloured).toBeGreaterThan(0);
  expect(coloured).toBeLessThan(READABLE);
});

test("the keyboard moves, zooms, names and opens", async ({ page, finished }) => {
  await open(page, `${finished}/map`);
  const map = page.getByTestId("map");
  await expect(map).toHaveAttribute("data-scale", "1.000");
  await page.getByTestId("map-canvas").focus();
  await page.keyboard.press("+");
  await expect(map).toHaveAttribute("data-scale", "1.500");
  await page.keyboard.press("0");
  await expect(map).toHaveAttribute("data-scale", "1.000");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("map-readout")).toContainText("In the middle:");
  const said = /In the middle: (.+), [^,]*\. Enter opens it/.exec(await page.getByTestId("map-readout").innerText());
  await page.keyboard.press("Tab");
  await expect(page.locator("a.map-name:focus")).toHaveCount(1);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/documents\//);
  expect(said).not.toBeNull();
});

test("the wheel zooms at the pointer, and a drag moves", async ({ page, finished }) => {
  await open(page, `${finished}/map`);
  const { x, y } = await place(page);
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -600);
  await expect(page.getByTestId("map")).not.toHaveAttribute("data-scale", "1.000");
  await page.mouse.move(x + 1, y);
  await expect(page.locator(".map-tip"), "the same document is still under the pointer").toBeVisible();
  const names = page.locator(".map-names");
  const before = await names.getAttribute("transform");
  await page.mouse.move(x + 40, y + 60);
  await page.mouse.down();
  await page.mouse.move(x + 90, y + 90, { steps: 4 });
  await page.mouse.up();
  expect(await names.getAttribute("transform")).not.toBe(before);
  await expect(page, "a drag opens nothing").toHaveURL(/\/map$/);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the map is a picture with names that filter, and a table", async ({ page, finished }) => {
    await page.goto(`${finished}/map`);
    const rows = page.getByTestId("map-row");
    const clusters = await rows.count();
    expect(clusters).toBeGreaterThanOrEqual(3);
    await expect(page.getByTestId("map").locator(".map-points path").first()).toBeAttached();
    await rows.first().getByRole("rowheader").getByRole("link").click();
    await expect(page).toHaveURL(/\/map\?cluster=0/);
    await expect(page.locator(".map-points .rest")).toBeAttached();
    await expect(page.getByTestId("matching")).toBeVisible();
    const saving = page.waitForEvent("download");
    await page.getByTestId("do-csv").click();
    expect((await saving).suggestedFilename()).toMatch(/documents\.csv$/);
    await page.getByRole("link", { name: "In the list" }).first().click();
    await expect(page).toHaveURL(/\/batches\/[^/]+\?cluster=0/);
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on the map in ${colorScheme}`, async ({ page, finished }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await open(page, `${finished}/map?kind=text`);
    await lasso(page);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`)).toEqual([]);
  });
}
