// Webhooks in the page: added, with a secret that is shown once, tried out, removed.
import { expect, test } from "../support/test.ts";

const ADDRESS = "https://receiver.invalid/hook";

test("a webhook is added, tried and removed", async ({ page }) => {
  await page.goto("/", { waitUntil: "networkidle" });
  await page.getByRole("link", { name: "Webhooks" }).click();
  await expect(page.getByTestId("no-webhooks")).toBeVisible();

  await page.getByLabel("Address").fill(ADDRESS);
  await page.getByTestId("add-webhook").click();
  await expect(page.getByTestId("secret")).toContainText("whsec_");
  await page.reload();
  await expect(page.getByTestId("webhook")).toContainText(ADDRESS);
  await expect(page.getByTestId("secret")).toHaveCount(0);

  await page.getByRole("button", { name: `Send a test to ${ADDRESS}` }).click();
  await expect(page.getByTestId("delivery")).toContainText("it cannot be reached");
  await page.getByRole("button", { name: `Remove ${ADDRESS}` }).click();
  await expect(page.getByTestId("no-webhooks")).toBeVisible();
});
