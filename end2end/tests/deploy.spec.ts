// What deploy/Dockerfile copies is all that the page needs.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "@playwright/test";
import { BINARY, Server } from "../support/server.ts";

test("the program runs where it is copied to, with its styles and scripts", async ({ page }) => {
  const recipe = readFileSync(join(import.meta.dirname, "../../deploy/Dockerfile"), "utf8");
  const copies = [...recipe.matchAll(/^COPY target\/release\/(\S+) \/(\S+)$/gm)];
  expect(copies.map((copy) => copy[1])).toContain("sheaf");
  const root = mkdtempSync(join(tmpdir(), "sheaf-deploy-"));
  let server: Server | undefined;
  try {
    for (const [, from, to] of copies) {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      cpSync(join(dirname(BINARY), from), join(root, to), { recursive: true, dereference: true });
    }
    server = await Server.start(undefined, join(root, "opt/sheaf/sheaf"));
    const failed: string[] = [];
    page.on("response", (answer) => answer.ok() || failed.push(`${answer.status()} ${answer.url()}`));
    page.on("pageerror", (error) => failed.push(error.message));
    const module = page.waitForResponse((answer) => answer.url().endsWith(".wasm"));
    await page.goto(server.address);
    await (await module).finished();
    expect(failed).toEqual([]);
    const sheets = await page.evaluate(() => [...document.styleSheets].map((sheet) => [sheet.href ?? "", sheet.cssRules.length] as const));
    expect(sheets.some(([href, rules]) => /\/pkg\/sheaf\.[0-9a-f]{16}\.css$/.test(href) && rules > 100)).toBe(true);
  } finally {
    await server?.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
