import { expect, test } from 'vitest';
import { membersOf, taskMembers } from './task-members.ts';

test('what a task has is said as it is declared, with what is said of it and what it is called with', () => {
  const members = taskMembers();
  expect(members.map(({ name }) => name)).toEqual(['index', 'args', 'signal', 'progress', 'log', 'now', 'random']);
  expect(members.every(({ about }) => about.endsWith('.'))).toBe(true);
  expect(members.find(({ name }) => name === 'progress')).toEqual({
    name: 'progress',
    type: '(fraction: number) => void',
    about: 'How far the item is, 0 to 1.',
    parameters: [{ name: 'fraction', type: 'number', optional: false, rest: false }],
  });
  expect(members.find(({ name }) => name === 'log')?.parameters).toEqual([
    { name: 'parts', type: 'unknown[]', optional: false, rest: true },
  ]);
  expect(members.find(({ name }) => name === 'index')).toMatchObject({ type: 'number', parameters: null });
});

test('what more than one call may be given is told apart', () => {
  const source = 'export interface Made {\n  at(place: Map<string, number>, again?: boolean): Promise<void>;\n}\n';
  expect(membersOf(source, 'Made')).toEqual([
    {
      name: 'at',
      type: '(place: Map<string, number>, again?: boolean) => Promise<void>',
      about: '',
      parameters: [
        { name: 'place', type: 'Map<string, number>', optional: false, rest: false },
        { name: 'again', type: 'boolean', optional: true, rest: false },
      ],
    },
  ]);
});

test('a declaration that cannot be said stops the build instead of being left out', () => {
  expect(() => membersOf('export interface Made {\n  [key: string]: number;\n}\n', 'Made')).toThrow('[key: string]');
  expect(() => membersOf('', 'Made')).toThrow('lack');
});
