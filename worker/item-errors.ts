// What went wrong with an item, as plain strings. What is thrown is foreign: it may be anything, and reading it may throw.
import { errorMessageCharsMax, errorNameCharsMax, errorStackCharsMax } from '../web/kernel/protocol/sandbox-frame.ts';
import type { SandboxError } from '../web/kernel/protocol/sandbox.ts';

export class LoadError extends Error {
  override readonly name = 'LoadError';
}
export class ResultError extends Error {
  override readonly name = 'ResultError';
}

/** `codeUrl` is the blob the code was loaded from: in the stack it reads `code`, and lines outside of it are left out. */
export function describeThrown(thrown: unknown, index: number, codeUrl: string): SandboxError {
  const ours = thrown instanceof LoadError || thrown instanceof ResultError;
  return {
    index,
    name: part(() => (isObject(thrown) ? thrown['name'] : 'Error'), 'Error').slice(0, errorNameCharsMax),
    message: part(() => (isObject(thrown) ? thrown['message'] : thrown), 'Something was thrown that cannot be shown.').slice(
      0,
      errorMessageCharsMax,
    ),
    stack: ours
      ? ''
      : tidied(
          part(() => (isObject(thrown) ? thrown['stack'] : ''), ''),
          codeUrl,
        ).slice(0, errorStackCharsMax),
  };
}

const tidied = (stack: string, codeUrl: string) =>
  codeUrl === ''
    ? ''
    : stack
        .slice(0, 4 * errorStackCharsMax)
        .split('\n')
        .filter((line) => !line.includes('blob:') || line.includes(codeUrl))
        .map((line) => line.replaceAll(codeUrl, 'code'))
        .join('\n');

const isObject = (value: unknown): value is Record<string, unknown> =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

function part(read: () => unknown, otherwise: string): string {
  try {
    const value = read();
    return value === undefined ? otherwise : String(value);
  } catch {
    return otherwise;
  }
}
