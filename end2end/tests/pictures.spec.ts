// Screenshots of each page, wide and narrow, light and dark, for people to look at; and the layout that no picture may break.
import { join } from "node:path";

import { largePile } from "../support/pile.ts";
import { zip } from "../support/zip.ts";
import { Server } from "../support/server.ts";
import { expect, finish, test, upload } from "../support/test.ts";

const FOLDER = join(import.meta.dirname, "../screenshots");
const README_PICTURE = join(import.meta.dirname, "../../docs/images/overview.png");
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

test("every page fits its window, wide and narrow, light and dark", async ({ page, server, finished }) => {
  const few = ["one", "two", "three"].map((name) => ({ name: `${name}.txt`, bytes: Buffer.from(`A short note, number ${name}.`) }));
  const three = await upload(server, "Three notes", zip(few));
  const many = await upload(server, "A hundred and twenty", largePile(20));
  await Promise.all([finish(server, three), finish(server, many)]);
  await page.goto(finished);
  const document = await page.getByTestId("document-row").first().getByRole("link").first().getAttribute("href");
  const pages = { start: "/", overview: finished, failures: `${finished}?status=failed`, document: document!, three: `/batches/${three}`, many: `/batches/${many}` };
  for (const size of SIZES) {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(path, { waitUntil: "networkidle" });
        await page.screenshot({ path: join(FOLDER, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
        const beyond = await page.evaluate(() => globalThis.document.documentElement.scrollWidth - window.innerWidth);
        expect(beyond, `${name} at ${size.width} scrolls sideways`).toBeLessThanOrEqual(0);
      }
    }
  }
});

test("a start without batches says what to do", async ({ page }) => {
  const empty = await Server.start();
  try {
    await page.goto(empty.address);
    await expect(page.getByTestId("no-batches")).toBeVisible();
    await page.screenshot({ path: join(FOLDER, "empty-1440-light.png"), fullPage: true });
  } finally {
    await empty.stop();
  }
});

test("the picture of the README", async ({ page, finished }) => {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1440, height: 1100 });
  await page.goto(finished, { waitUntil: "networkidle" });
  await expect(page.getByTestId("heatmap")).toBeVisible();
  // Only on request, so that a run of the tests leaves the checkout as it was.
  const path = process.env.SHEAF_UPDATE_IMAGES ? README_PICTURE : join(FOLDER, "readme.png");
  await page.screenshot({ path });
});
