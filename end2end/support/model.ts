// A language model's server with the API of OpenAI, as far as flows ask: it gives each part of a document one row about its first line.
import { once } from "node:events";
import { createServer } from "node:http";

export interface FakeModel {
  address: string;
  /** Requests so far. */
  asked: () => number;
  stop: () => Promise<void>;
}

export async function fakeModel(field: string): Promise<FakeModel> {
  let asked = 0;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    asked += 1;
    const content = JSON.stringify({ rows: [{ [field]: `answer ${asked}`, lines: [1, 1] }] });
    const body = { choices: [{ message: { role: "assistant", content } }], usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    address: `http://127.0.0.1:${address.port}/v1`,
    asked: () => asked,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close").catch(() => undefined);
    },
  };
}
