// npm run lull: jobs from the command line, as a program of a pipe. See terminal/arguments.ts for what it takes.
import { commandOf, usage, UsageError } from './terminal/arguments.ts';
import { SiteError } from './terminal/connection.ts';
import { exitCodes, run } from './terminal/run.ts';

/** One ^C may reach us by several ways: from the terminal, and from npm or whoever started us. */
const sameInterruptMs = 500;

const exitCode = await main();
// Not before all is written.
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit(exitCode);

async function main(): Promise<number> {
  const over = new AbortController();
  let interruptedAt = -Infinity;
  const interrupt = () => {
    if (performance.now() - interruptedAt < sameInterruptMs) return;
    interruptedAt = performance.now();
    if (over.signal.aborted) process.exit(exitCodes.calledOff);
    over.abort(exitCodes.calledOff);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  process.stdout.on('error', () => over.abort(exitCodes.nobodyReads));
  try {
    const command = commandOf(process.argv.slice(2), process.env);
    if (command === 'help') {
      console.log(usage);
      return exitCodes.fine;
    }
    const { stdin, stdout, stderr, env } = process;
    if (env['npm_lifecycle_event'] === 'lull' && env['npm_config_loglevel'] !== 'silent' && !stdout.isTTY)
      console.error('lull: npm has written two lines of its own into the pipe: use "npx lull", or "npm run -s lull --".');
    return await run(command, { stdin, stdout, stderr, env, signal: over.signal });
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`lull: ${error.message}`);
      return exitCodes.usage;
    }
    if (error instanceof SiteError) {
      console.error(`lull: ${error.message}`);
      return error.code === 'unreachable' ? exitCodes.unreachable : error.code === 'bad-input' ? exitCodes.usage : exitCodes.failed;
    }
    throw error;
  }
}
