// The signaling server as a program (or, with `operator` behind it, what its operator does by hand): settings from the environment, one line when it is up, a clean end on SIGINT and SIGTERM.
// Built to dist/server/main.js, beside the site that it serves.
import { fileURLToPath } from 'node:url';
import { optionsFromEnvironment } from './environment.ts';
import { operatorCommand } from './operator-command.ts';
import { startServer, type RunningServer } from './server.ts';

const shutdownMsMax = 1_900;

try {
  if (process.argv[2] === 'operator')
    await operatorCommand(process.argv.slice(3), { directory: process.env.OPERATOR_DIRECTORY, say: console.log, now: Date.now });
  else await serve();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function serve(): Promise<void> {
  const siteDirectory = process.env.SITE_DIRECTORY || fileURLToPath(new URL('../site', import.meta.url));
  const report = (message: string) => console.error(message);
  const server = await startServer({ ...optionsFromEnvironment(process.env), siteDirectory, report });
  endOnSignals(server);
  console.log(`Lull is at ${server.url}`);
}

function endOnSignals(server: RunningServer): void {
  let ending = false;
  const end = () => {
    // Asked twice: the person is in a hurry.
    if (ending) process.exit(0);
    ending = true;
    setTimeout(() => process.exit(0), shutdownMsMax).unref();
    server.close().then(
      () => process.exit(0),
      () => process.exit(0),
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}
