// A server with one batch of many short made texts of four topics, imported before it starts.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { BINARY, Server } from "./server.ts";

const TOPICS = [
  "harbour ship crew cargo anchor pilot tide storm",
  "bread flour oven dough yeast crust baker salt",
  "violin concert orchestra string bow melody audience score",
  "galaxy comet orbit telescope planet eclipse star probe",
];

/** The server, which is the caller's to stop, and the address of the batch's page. */
export async function withNotes(documents: number): Promise<{ server: Server; batch: string }> {
  const server = await Server.start((data) => {
    const file = join(data, "records.jsonl");
    writeFileSync(file, Array.from({ length: documents }, (_, i) => JSON.stringify({ id: `note-${i}`, text: text(i) })).join("\n"));
    execFileSync(BINARY, ["import", file, "--data", data, "--model", "fast", "--quiet"]);
  });
  const list = (await (await fetch(`${server.address}/api/batches`)).json()) as { items: { id: string }[] };
  return { server, batch: `${server.address}/batches/${list.items[0]!.id}` };
}

/** The `i`th text: one of the topics in other words each time. */
function text(i: number): string {
  const words = TOPICS[i % TOPICS.length]!.split(" ");
  let state = i * 2_654_435_761;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648);
  return `Note ${i}: ${Array.from({ length: 20 }, () => words[next() % words.length]).join(" ")}.`;
}
