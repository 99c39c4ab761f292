// The built site, read into memory once: a request is a look-up in a map, so no path of a request ever reaches the disk.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

export interface SiteFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  /** Named by its content (Vite's assets/): never changes. */
  readonly immutable: boolean;
}

export interface Site {
  /** By URL path: '/index.html', '/assets/main-3fd2.js'. */
  readonly files: ReadonlyMap<string, SiteFile>;
  /** First 16 hex digits of a SHA-256 over all paths and contents. */
  readonly version: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.ts': 'application/typescript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.xml': 'application/xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};
const hashedName = /^\/assets\/.+-[\w-]{8,}\.[a-z0-9]+$/;

/** @throws Error with one clear line where there is no built site, or one too large to hold */
export async function loadSite(directory: string, bytesMax: number): Promise<Site> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = new Map<string, SiteFile>();
  const whole = createHash('sha256');
  let total = 0;
  for (const path of paths) {
    const bytes = await readFile(path);
    total += bytes.length;
    if (total > bytesMax) throw new Error(`The site in ${directory} is larger than ${bytesMax} bytes.`);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const url = path.slice(directory.length).replaceAll('\\', '/');
    whole.update(`${url}\0${hash}\0`);
    files.set(url, {
      bytes,
      type: types[extname(path).toLowerCase()] ?? 'application/octet-stream',
      etag: `"${hash.slice(0, 24)}"`,
      immutable: hashedName.test(url),
    });
  }
  if (!files.has('/index.html')) throw new Error(`There is no built site in ${directory}. Run "npm start", which builds it.`);
  return { files, version: whole.digest('hex').slice(0, 16) };
}
