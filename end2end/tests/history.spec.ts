// The list of batches, with and without JavaScript: found, renamed, compared.
import { texts } from "../support/pile.ts";
import { expect, finish, test, upload } from "../support/test.ts";
import { zip } from "../support/zip.ts";

test("a batch is found by name and id, and renamed where it is listed", async ({ page, server, finished }) => {
  const id = finished.split("/").pop()!;
  await page.goto("/");
  const search = page.getByRole("searchbox", { name: "Search by name or id" });
  await search.fill("THE PI");
  await search.press("Enter");
  await expect(page).toHaveURL(/\?q=THE(%20|\+)PI/);
  const rows = page.getByTestId("batch-row");
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("took");

  await page.getByTestId("change").locator("summary").click();
  await page.getByTestId("change").getByRole("textbox", { name: "Name" }).fill("Odds & ends");
  await page.getByTestId("change").getByRole("combobox", { name: "Priority" }).selectOption("high");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByTestId("no-batches")).toContainText("No batch matches");
  await expect(page).toHaveURL(/\?q=THE(%20|\+)PI/);
  await page.getByTestId("no-batches").getByRole("link").click();
  await expect(rows.filter({ hasText: "Odds & ends" })).toContainText("high priority");

  await page.goto(`/?q=${id.slice(0, 13)}`);
  await expect(rows).toHaveCount(1);
  await expect(rows.locator("code")).toHaveText(id.slice(0, 13));
  await page.goto("/?status=cancelled&q=odds");
  await expect(page.getByTestId("no-batches")).toBeVisible();

  await page.goto(finished);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Odds & ends");
  await page.getByTestId("change").locator("summary").click();
  await page.getByTestId("change").getByRole("textbox", { name: "Name" }).fill("The pile");
  await page.getByTestId("change").getByRole("combobox", { name: "Priority" }).selectOption("normal");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The pile");
  const renamed = await (await fetch(`${server.address}/api/batches/${id}`)).json();
  expect([renamed.name, renamed.priority]).toEqual(["The pile", "normal"]);
});

test("two batches are chosen and compared", async ({ page, server, finished }) => {
  const [first, ...rest] = texts;
  const changed = { ...first!, bytes: Buffer.concat([first!.bytes, Buffer.from("One sentence more.\n")]) };
  const moved = { ...rest[0]!, name: "moved/elsewhere.txt" };
  const id = await upload(server, "The second pile", zip([changed, moved, ...rest.slice(1)]));
  await finish(server, id);

  await page.goto("/");
  const row = (name: string) => page.getByTestId("batch-row").filter({ hasText: name });
  await row("The second pile").getByTestId("compare").click();
  await expect(page.getByTestId("choosing")).toContainText("The second pile");
  await page.goto(`/?compare=${id}&q=${finished.split("/").pop()}`);
  await page.getByTestId("compare").click();
  await expect(page).toHaveURL(/\/compare\?a=.+&b=.+/);
  const comparison = await (await fetch(`${server.address}/api/compare${new URL(page.url()).search}`)).json();
  expect(comparison.counts).toEqual({ both: rest.length, changed: 0, only_first: 1, only_second: 3 });

  await expect(page.getByTestId("part-both")).toContainText(String(rest.length));
  await expect(page.getByTestId("compared-row").filter({ hasText: "moved/elsewhere.txt" })).toContainText("in B:");
  await page.getByTestId("part-only_second").click();
  await expect(page.getByTestId("compared-row")).toHaveCount(3);
  await expect(page.getByTestId("compared-row").filter({ hasText: "dump.bin" })).toContainText("Unsupported kind");
  await page.getByRole("link", { name: "Swap them" }).click();
  await expect(page.getByTestId("part-only_first")).toContainText("3");
  await expect(page.getByTestId("compared-row")).toHaveCount(3);
  await page.getByTestId("part-changed").click();
  await expect(page.getByTestId("nothing-compared")).toContainText("ended in the same way");
});
