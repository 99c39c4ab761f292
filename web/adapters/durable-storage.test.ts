import { expect, it, vi } from 'vitest';
import { durableStorage } from './durable-storage.ts';

const browser = (persisted: boolean, answer: () => Promise<boolean>) => ({
  persisted: vi.fn<() => Promise<boolean>>(() => Promise.resolve(persisted)),
  persist: vi.fn<() => Promise<boolean>>(answer),
});

it('asks nothing of the browser by itself', async () => {
  const storage = browser(false, () => Promise.resolve(true));
  const durable = durableStorage(storage);
  await storage.persisted.mock.results[0]!.value;
  expect(storage.persist).not.toHaveBeenCalled();
  expect(durable.state()).toBe('not-asked');
});

it('knows what was promised before, and does not ask again', async () => {
  const storage = browser(true, () => Promise.resolve(true));
  const durable = durableStorage(storage);
  await storage.persisted.mock.results[0]!.value;
  await durable.ask();
  expect(durable.state()).toBe('kept');
  expect(storage.persist).not.toHaveBeenCalled();
});

it('asks once a page, and again only where a button says so', async () => {
  const storage = browser(false, () => Promise.resolve(false));
  const durable = durableStorage(storage);
  const seen = vi.fn<() => void>();
  durable.subscribe(seen);
  await durable.ask();
  await durable.ask();
  expect(storage.persist).toHaveBeenCalledTimes(1);
  expect(durable.state()).toBe('refused');
  expect(seen).toHaveBeenCalledTimes(1);
  storage.persist.mockResolvedValue(true);
  await durable.ask(true);
  expect(durable.state()).toBe('kept');
});

it('lives with browsers that have no such promise, or throw', async () => {
  const none = durableStorage(undefined);
  await none.ask();
  expect(none.state()).toBe('unknown');
  const broken = durableStorage(browser(false, () => Promise.reject(new Error('private window'))));
  await broken.ask();
  expect(broken.state()).toBe('unknown');
});
