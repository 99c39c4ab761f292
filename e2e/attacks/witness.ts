// Another tab of the site: keeps secrets, and tells what the site's stores look like from outside. Each function is sent to that
// tab as text, so it uses nothing around it.

/** Fills the vaults that attempts try to read, and starts to listen. */
export async function keepSecrets({ secret, site }: { secret: string; site: string }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open('vault');
    request.onupgradeneeded = () => request.result.createObjectStore('s').put(secret, 'secret');
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
  await (await caches.open('vault')).put(`${site}/vault`, new Response(secret));
  const writable = await (await (await navigator.storage.getDirectory()).getFileHandle('vault', { create: true })).createWritable();
  await writable.write(secret);
  await writable.close();
  void navigator.locks.request(`lock of ${secret}`, () => new Promise(() => undefined));
  await caches.open(`cache of ${secret}`);
  await new Promise((resolve) => {
    const request = indexedDB.open(`database of ${secret}`);
    request.onsuccess = () => {
      request.result.close();
      resolve(undefined);
    };
  });
  await (await navigator.storage.getDirectory()).getFileHandle(`file of ${secret}`, { create: true });
  // Where there are none, the attempt on them has nothing to look for, and does not count.
  await (navigator as unknown as { storageBuckets?: { open(name: string): Promise<unknown> } }).storageBuckets?.open(`bucket-${secret}`);
  const whispers = new BroadcastChannel('whispers');
  setInterval(() => whispers.postMessage(secret), 50);
  const heard: unknown[] = [];
  new BroadcastChannel('tabs').onmessage = (event) => heard.push(event.data);
  Object.assign(globalThis, { heard, stolen: [] });
}

/** What attempts try to take away: a database, a cache, a file and a lock. */
export async function makeVictim(mark: string): Promise<void> {
  const name = `victim-${mark}`;
  await caches.open(name);
  await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
  void navigator.locks
    .request(name, () => new Promise(() => undefined))
    .catch(() => (globalThis as unknown as { stolen: string[] }).stolen.push(name));
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open(`victim-${mark}`);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
}

/** Whether the site's stores, seen from here, carry the mark. */
export async function witnessed({ look, mark }: { look: string; mark: string }): Promise<boolean> {
  switch (look) {
    case 'databases':
      return (await indexedDB.databases()).some(({ name }) => name === mark);
    case 'missing-database':
      return !(await indexedDB.databases()).some(({ name }) => name === `victim-${mark}`);
    case 'missing-cache':
      return !(await caches.keys()).includes(`victim-${mark}`);
    case 'missing-file':
      return (await navigator.storage.getDirectory()).getFileHandle(`victim-${mark}`).then(
        () => false,
        () => true,
      );
    case 'stolen-lock':
      return (globalThis as unknown as { stolen: string[] }).stolen.includes(`victim-${mark}`);
    case 'caches':
      return (await caches.keys()).includes(mark);
    case 'files':
      return (await navigator.storage.getDirectory()).getFileHandle(mark).then(
        () => true,
        () => false,
      );
    case 'sandboxed-files':
      return new Promise((resolve) => {
        const request = (
          globalThis as unknown as {
            webkitRequestFileSystem?(
              type: number,
              size: number,
              got: (fs: { root: { getFile(n: string, o: object, y: () => void, no: () => void): void } }) => void,
              not: () => void,
            ): void;
          }
        ).webkitRequestFileSystem;
        if (request === undefined) return resolve(false);
        request(
          0,
          1024,
          ({ root }) =>
            root.getFile(
              mark,
              {},
              () => resolve(true),
              () => resolve(false),
            ),
          () => resolve(false),
        );
      });
    case 'locks':
      return ((await navigator.locks.query()).held ?? []).some(({ name }) => name === mark);
    case 'buckets':
      return (
        (await (navigator as unknown as { storageBuckets?: { keys(): Promise<string[]> } }).storageBuckets?.keys())?.includes(mark) === true
      );
    case 'messages':
      return (globalThis as unknown as { heard: unknown[] }).heard.includes(mark);
    default:
      throw new Error(`nothing to look at called ${look}`);
  }
}

export function readable(address: string): Promise<string> {
  return fetch(address).then(
    (response) => response.text(),
    () => '',
  );
}
