// How the built binary is driven: each worker starts its own server on a free port with a fresh data folder (support/server.ts).
import { defineConfig, devices } from "@playwright/test";

const chromium = {
  ...devices["Desktop Chrome"],
  viewport: { width: 1440, height: 900 },
  launchOptions: {
    executablePath: process.env.SHEAF_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  },
};

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 1,
  forbidOnly: !!process.env.CI,
  // A test that passes the second time only is told at the end as flaky.
  retries: 1,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: { acceptDownloads: true, trace: "retain-on-failure" },
  projects: [
    { name: "with-script", use: { ...chromium, javaScriptEnabled: true } },
    { name: "without-script", use: { ...chromium, javaScriptEnabled: false }, testMatch: ["adding.spec.ts", "journey.spec.ts", "hostile.spec.ts", "pages.spec.ts", "steering.spec.ts", "history.spec.ts"] },
  ],
});
