import { expect, test } from 'vitest';
import { scrub } from './scrub.ts';

test('what is not on the list goes, from the scope and from its prototypes, whatever the browser adds later', () => {
  const prototype = Object.create(EventTarget.prototype, {
    fetch: { value: () => 1, configurable: true },
    setTimeout: { value: () => 2, configurable: true },
    constructor: { value: class Scope {}, configurable: true },
  }) as object;
  const scope = Object.create(prototype, {
    Math: { value: Math, configurable: true },
    somethingNew: { value: () => 3, configurable: true },
    locked: { value: () => 4, configurable: false, writable: true },
    TEMPORARY: { value: 0, configurable: false },
  }) as Record<string, unknown>;
  expect(scrub(scope)).toEqual([]);
  expect(scope['Math']).toBe(Math);
  expect(typeof scope['setTimeout']).toBe('function');
  expect(typeof scope['addEventListener']).toBe('function');
  expect([scope['fetch'], scope['somethingNew'], scope['locked']]).toEqual([undefined, undefined, undefined]);
  expect(scope.constructor).toBe(EventTarget);
});

test('what cannot be taken away is told', () => {
  const scope = Object.create(EventTarget.prototype, { fetch: { value: () => 1, configurable: false, writable: false } }) as object;
  expect(scrub(scope)).toEqual(['fetch']);
});
