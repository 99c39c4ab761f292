// The real server as a child process, on a port of its own; killed and restarted at will.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';

const entry = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));

export interface Server {
  readonly url: string;
  readonly port: number;
  /** At once, as a crash would. */
  kill(): Promise<void>;
  /** Politely. Answers with the exit code. */
  stop(): Promise<number | null>;
  /** Again on the same port. */
  restart(): Promise<void>;
}

export async function startServer(env: Record<string, string> = {}, onPort?: number): Promise<Server> {
  const port = onPort ?? (await freePort());
  let child = await launch(port, env);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url: `http://localhost:${port}`,
    port,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    restart: async () => {
      child = await launch(port, env);
    },
  };
}

function launch(port: number, env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, [entry], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Lull is at ')) resolve(child);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened: ${said}`)));
  });
}
