// task.log, console and task.progress: bounded per span and per second, so that chatter never delays results.
import { logCharsMax, logsBurst, logsPerSecond, progressEveryMs } from '../web/kernel/protocol/sandbox-frame.ts';
import { logBytesPerFunctionMax } from '../web/kernel/limits.ts';

export class TaskLog {
  #charsLeft = logBytesPerFunctionMax;
  #tokens = logsBurst;
  #refilledAt: number;
  #dropped = 0;
  #reportedAt = -Infinity;

  constructor(
    private readonly now: () => number,
    private readonly send: (line: string) => void,
  ) {
    this.#refilledAt = now();
  }

  newSpan(): void {
    this.#charsLeft = logBytesPerFunctionMax;
  }

  line(parts: readonly unknown[]): void {
    const now = this.now();
    this.#tokens = Math.min(logsBurst, this.#tokens + ((now - this.#refilledAt) * logsPerSecond) / 1000);
    this.#refilledAt = now;
    if (this.#tokens < 1 || this.#charsLeft <= 0) {
      this.#dropped++;
      return;
    }
    this.#tokens -= 1;
    const more = this.#dropped > 0 ? ` (and ${this.#dropped} lines before it, dropped)` : '';
    this.#dropped = 0;
    const line = (
      parts
        .map(shown)
        .join(' ')
        .slice(0, Math.min(logCharsMax - more.length, this.#charsLeft)) + more
    ).slice(0, logCharsMax);
    this.#charsLeft -= line.length;
    this.send(line);
  }

  /** Whether progress may be told now. */
  mayReport(): boolean {
    const now = this.now();
    if (now - this.#reportedAt < progressEveryMs) return false;
    this.#reportedAt = now;
    return true;
  }
}

function shown(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? String(value);
    return String(value);
  } catch {
    return '(something that cannot be shown)';
  }
}

/** A console that writes to the task's log; what only decorates does nothing. */
export function quietConsole(log: TaskLog): Record<string, (...parts: unknown[]) => void> {
  const write = (...parts: unknown[]) => log.line(parts);
  const silent = () => undefined;
  const console: Record<string, (...parts: unknown[]) => void> = {};
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table']) console[name] = write;
  for (const name of ['group', 'groupCollapsed', 'groupEnd', 'time', 'timeEnd', 'timeLog', 'count', 'countReset', 'clear', 'timeStamp'])
    console[name] = silent;
  console['assert'] = (holds, ...parts) => {
    if (holds !== true) log.line(['Assertion failed:', ...parts]);
  };
  return console;
}
