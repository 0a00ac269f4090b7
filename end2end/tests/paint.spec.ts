// How long it takes from a click on a filter to the paint of what it leaves, with many documents: printed, not asserted. Only
// where SHEAF_PAINT says how many documents, for making them takes a while.
import { type Page, expect, test } from "@playwright/test";

import { withNotes } from "../support/notes.ts";

const DOCUMENTS = Number(process.env.SHEAF_PAINT ?? 0);

test.skip(DOCUMENTS === 0, "SHEAF_PAINT is not set");
test.setTimeout(1_800_000);

test("from a click on a filter to the paint", async ({ page }) => {
  const { server, batch } = await withNotes(DOCUMENTS);
  try {
    await page.goto(batch);
    // The script is at work: it takes the headings of the heatmap out of the way of Tab.
    await page.locator("[role=rowheader] a[tabindex='-1']").first().waitFor({ state: "attached" });
    await page.waitForLoadState("networkidle");
    const cluster = "[data-testid=cluster-row] .cluster-name a";
    const confidence = "[data-testid=facet-confidence] [data-testid=facet-value]";
    const clear = "[data-testid=filter-clear]";
    for (const [what, selector] of [["a cluster", cluster], ["no filter", clear], ["a confidence", confidence], ["no filter", clear]] as const) {
      const times: number[][] = [];
      for (let i = 0; i < 10; i++) {
        times.push(await paint(page, selector));
        if (selector === clear) await page.goBack();
        else await page.locator(clear).click();
        await page.waitForLoadState("networkidle");
        await page.waitForTimeout(300);
      }
      const median = (of: number) => times.map((time) => time[of]!).sort((a, b) => a - b)[5]!.toFixed(0);
      console.log(`${DOCUMENTS} documents, ${what}: table after ${median(0)} ms, all of the page after ${median(1)} ms`);
      // The next one begins with the filter, or without any.
      await page.locator(selector).first().click();
      await page.waitForTimeout(500);
    }
    expect(await page.getByTestId("document-row").count()).toBeGreaterThan(0);
  } finally {
    await server.stop();
  }
});

/** Milliseconds from a click to the paint of another table, and to the last paint of anything. */
function paint(page: Page, selector: string): Promise<number[]> {
  return page.evaluate(async (selector) => {
    const start = performance.now();
    let [table, last] = [0, 0];
    const observer = new MutationObserver((all) => {
      // What is out of sight is painted once the rest has settled.
      const changes = all.filter(({ target }) => !(target instanceof Element && target.matches(".overview")));
      if (changes.length === 0) return;
      const isTable = changes.some(({ target }) => target instanceof Element && target.closest(".explore"));
      // After the frame in which it is drawn.
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          last = performance.now() - start;
          if (isTable && table === 0) table = last;
        };
        port2.postMessage(0);
      });
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    document.querySelector<HTMLElement>(selector)!.click();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    observer.disconnect();
    return [table, last];
  }, selector);
}
