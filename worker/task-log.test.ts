import { expect, test } from 'vitest';
import { logCharsMax, logsBurst, logsPerSecond, progressEveryMs } from '../web/kernel/protocol/sandbox-frame.ts';
import { logBytesPerFunctionMax } from '../web/kernel/limits.ts';
import { quietConsole, TaskLog } from './task-log.ts';

function setUp() {
  const lines: string[] = [];
  const time = { now: 0 };
  const log = new TaskLog(
    () => time.now,
    (line) => lines.push(line),
  );
  return { lines, time, log };
}

test('a flood of lines is thinned, and the next line says how many are gone', () => {
  const { lines, time, log } = setUp();
  for (let i = 0; i < 1_000; i++) log.line([i]);
  expect(lines.length).toBe(logsBurst);
  time.now += 1_000;
  log.line(['later']);
  expect(lines.at(-1)).toBe(`later (and ${1_000 - logsBurst} lines before it, dropped)`);
  for (let i = 0; i < 1_000; i++) log.line([i]);
  expect(lines.length).toBe(logsBurst + logsPerSecond);
});

test('a span may write so much and no more, the next one again', () => {
  const { lines, time, log } = setUp();
  const write = () => {
    for (let i = 0; i < 200; i++) {
      time.now += 1_000;
      log.line(['x'.repeat(10_000)]);
    }
  };
  write();
  expect(lines.every((line) => line.length <= logCharsMax)).toBe(true);
  expect(lines.join('').length).toBe(logBytesPerFunctionMax);
  log.newSpan();
  write();
  expect(lines.join('').length).toBe(2 * logBytesPerFunctionMax);
});

test('whatever is logged can be shown', () => {
  const { lines, log } = setUp();
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  log.line(['a', 1, { b: [2] }, new RangeError('no'), undefined, cyclic, Symbol('s'), 10n]);
  expect(lines).toEqual(['a 1 {"b":[2]} RangeError: no undefined (something that cannot be shown) Symbol(s) 10']);
});

test('the console writes to the log, and its decorations are silent', () => {
  const { lines, log } = setUp();
  const console = quietConsole(log);
  console['warn']!('careful', 1);
  console['group']!('x');
  console['assert']!(true, 'fine');
  console['assert']!(false, 'broken');
  expect(lines).toEqual(['careful 1', 'Assertion failed: broken']);
});

test('progress is told ten times a second at most', () => {
  const { time, log } = setUp();
  let told = 0;
  for (time.now = 0; time.now < 1_000; time.now++) if (log.mayReport()) told++;
  expect(told).toBe(1_000 / progressEveryMs);
});
