// The real binary as a child process: started on a free port with a data folder, stopped kindly or killed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const BINARY = process.env.SHEAF_BIN ?? join(import.meta.dirname, "../../target/release/sheaf");
const READY_WITHIN = 30_000;

export class Server {
  private process?: ChildProcess;
  private log = "";
  private readonly data = mkdtempSync(join(tmpdir(), "sheaf-end2end-"));

  private constructor(
    private readonly port: number,
    private readonly program: string,
  ) {}

  /** With what `prepare` puts into its data folder. */
  static async start(prepare: (data: string) => void = () => {}, program = BINARY): Promise<Server> {
    const server = new Server(await freePort(), program);
    prepare(server.data);
    await server.run();
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the binary on the same data and the same port as before. */
  async run(): Promise<void> {
    const child = spawn(this.program, ["serve", "--port", String(this.port), "--data", this.data], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.process = child;
    const keep = (text: Buffer) => (this.log = (this.log + text.toString()).slice(-20_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    await Promise.race([this.answers(child), failed]);
  }

  /** SIGKILL to the server and to what it has started, as when a machine loses its power. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.end("SIGTERM");
    rmSync(this.data, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
    const late = sleep(10_000, "late", { ref: false });
    if ((await Promise.race([ended, late])) === "late") {
      process.kill(-child.pid, "SIGKILL");
      await ended;
      throw new Error(`the server did not end within ten seconds of ${signal}\n${this.log}`);
    }
  }

  private async answers(child: ChildProcess): Promise<void> {
    const start = Date.now();
    while (Date.now() - start < READY_WITHIN) {
      if (child.exitCode !== null) throw new Error(`\`${this.program} serve\` ended with ${child.exitCode}\n${this.log}`);
      const answer = await fetch(this.address).catch(() => undefined);
      if (answer?.ok) return;
      await sleep(50);
    }
    throw new Error(`no answer from ${this.address} within ${READY_WITHIN} ms\n${this.log}`);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  probe.close();
  await once(probe, "close");
  return address.port;
}
