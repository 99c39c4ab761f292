import { javascriptLanguage } from '@codemirror/lang-javascript';
import { describe, expect, it, test } from 'vitest';
import { taskMembers } from 'virtual:task-members';
import { gallery } from '../../samples/gallery.ts';
import { templates } from '../../samples/templates.ts';
import { readTask } from './task-check.ts';

const read = (code: string) => readTask(javascriptLanguage.parser.parse(code), code, taskMembers);
const said = (code: string) => read(code).remarks.map(({ from, to, message }) => `${code.slice(from, to)}: ${message}`);
const body = (text: string) => `export default function run(item, task) {\n  ${text}\n}\n`;

describe('what the editor says of a task', () => {
  it.each([
    ['task.logg(1)', 'logg: task has no logg. Did you mean log?'],
    ['task.checkpoint({})', 'checkpoint: task has no checkpoint: it has index, args, signal, progress, log, now, random.'],
    ['return task.Random();', 'Random: task has no Random. Did you mean random?'],
    ['task.progress()', 'progress(): task.progress is (fraction: number) => void: it is given nothing.'],
    ['task.progress(1, 2)', 'progress(1, 2): task.progress is (fraction: number) => void: it is given 2.'],
    ["task.progress('half')", "progress('half'): task.progress is (fraction: number) => void: fraction is a number, not a string."],
    ['task.random(6)', 'random(6): task.random is () => number: it is given 1 where it takes nothing.'],
    ['return task.index();', 'index(): task.index is not a function: it is number.'],
    ['task.args = 1;', 'task.args: task.args cannot be set.'],
    ['const { random, nows } = task; return random(2);', 'nows: task has no nows. Did you mean now?'],
    ['const t = task; t.foo;', 'foo: task has no foo: it has index, args, signal, progress, log, now, random.'],
  ])('%s', (text, sentence) => expect(said(body(text))[0]).toBe(sentence));

  it.each([
    'task.log(); task.log(1, 2, 3); task.progress(0.5); task.progress(item / 2); return task.random() + task.now() + task.index;',
    'task.progress(...item);',
    'const { log, args: { trials } } = task; log(trials);',
    'return task.args.anything.at.all;',
    'const inner = (task) => task.log(1); return inner(task);',
    '{ const task = { foo: 1 }; return task.foo; }',
    'const list = item.map(({ task }) => task.foo); return list;',
    'return item.task.foo;',
    'task.signal.addEventListener("abort", () => {});',
  ])('has nothing against %s', (text) => expect(said(body(text))).toEqual([]));

  it.each([
    ['export default (item, it) => it.foo;', 'foo'],
    ['export default async (item, { foo }) => foo;', 'foo'],
    ['const run = (item, t) => t.foo;\nexport default run;', 'foo'],
    ['function run(item, t) { return t.foo; }\nexport default run;', 'foo'],
    ['export default (item) => item;\nconst help = (x, task) => task.foo;', 'foo'],
    ['export default (item, task = {}) => task.foo;', 'foo'],
    ['export default async function* (item, t) { yield t.foo; }', 'foo'],
  ])('knows the task by what it is, whatever it is called: %s', (code, name) =>
    expect(said(code)).toEqual([`${name}: task has no foo: it has index, args, signal, progress, log, now, random.`]),
  );

  it('says that a third argument never comes', () => {
    expect(said('export default (item, task, more) => more;')).toEqual([
      'more: The code is called with two arguments, the item and the task.',
    ]);
  });

  it('knows what stands at a place, for help and for completion', () => {
    const code = body('task.log(1); const { random } = task; return random();');
    const reading = read(code);
    expect(reading.memberAt(code.indexOf('log') + 1)?.member.name).toBe('log');
    expect(reading.memberAt(code.lastIndexOf('random') + 1)?.member.name).toBe('random');
    expect(reading.memberAt(code.indexOf('item'))).toBeUndefined();
    const at = code.indexOf('task.log');
    expect(reading.isTask(at, at + 4)).toBe(true);
    expect(reading.isTask(code.indexOf('item'), code.indexOf('item') + 4)).toBe(false);
  });

  it('knows the task before anything is written behind its point', () => {
    const code = body('task.');
    const at = code.indexOf('task.');
    expect(read(code).isTask(at, at + 4)).toBe(true);
  });
});

test.each(
  [...gallery, ...templates].flatMap(({ id, code, reduce }): [string, string][] => [
    [id, code],
    [`${id}, reduced`, reduce ?? ''],
  ]),
)('nothing is said against the sample %s', (_, code) => expect(said(code)).toEqual([]));
