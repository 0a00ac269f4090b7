// The server is killed half-way in a batch and started again: every document is done, exactly once.
import { largePile } from "../support/pile.ts";
import { Server } from "../support/server.ts";
import { batch, expect, finish, test, upload } from "../support/test.ts";

const COPIES = 40;

test("a batch survives kill -9 with every document once", async () => {
  const server = await Server.start();
  try {
    const id = await upload(server, "Interrupted", largePile(COPIES));
    const done = async () => (await batch(server, id)).counts.completed ?? 0;
    const total = (await batch(server, id)).counts.total ?? 0;
    await expect.poll(done, { timeout: 60_000, intervals: [20] }).toBeGreaterThan(0);
    await server.kill();
    await server.run();
    const left = total - (await done());
    expect(left, "documents left to do after the restart, or the kill came too late to show anything").toBeGreaterThan(0);
    await finish(server, id);

    const answer = await fetch(`${server.address}/api/batches/${id}/export?subject=documents&format=json`);
    const rows = (await answer.json()) as { path: string; status: string }[];
    expect(new Set(rows.map((row) => row.path)).size).toBe(rows.length);
    expect(rows.length).toBe(total);
    expect(rows.filter((row) => row.status !== "completed")).toEqual([]);
  } finally {
    await server.stop();
  }
});
