// lull://<group>/<peer>/<service>[/<resource>[/...]]. `self` stands for this peer, `group` for any member that offers the service.
import { isPeerId, type Brand, type PeerId } from '../lib/ids.ts';

export type Uri = Brand<string, 'Uri'>;

export interface UriParts {
  readonly group: string;
  readonly peer: PeerId | 'self' | 'group';
  readonly service: string;
  readonly path: readonly string[];
}

export const uriCharsMax = 512;
const segment = /^[A-Za-z0-9._~-]{1,128}$/;

/** The same few are read again and again. */
const read = new Map<string, UriParts | undefined>();
const readMax = 2_048;

export function parseUri(text: string): UriParts | undefined {
  const known = read.get(text);
  if (known !== undefined || read.has(text)) return known;
  if (read.size >= readMax) read.clear();
  const parts = partsOf(text);
  read.set(text, parts);
  return parts;
}

function partsOf(text: string): UriParts | undefined {
  if (text.length > uriCharsMax || !text.startsWith('lull://')) return undefined;
  const [group, peer, service, ...path] = text.slice('lull://'.length).split('/');
  if (group === undefined || peer === undefined || service === undefined) return undefined;
  if (![group, service, ...path].every((part) => segment.test(part))) return undefined;
  if (peer !== 'self' && peer !== 'group' && !isPeerId(peer)) return undefined;
  return { group, peer: peer as UriParts['peer'], service, path };
}

export const isServiceName = (text: string): boolean => segment.test(text);

/** `<service>[/<resource>[/...]]` of a whole one. */
export const pathOf = (uri: Uri): string => uri.slice(uri.indexOf('/', uri.indexOf('/', 'lull://'.length) + 1) + 1);

export function makeUri(group: string, peer: UriParts['peer'], service: string, ...path: string[]): Uri {
  let uri = `lull://${group}/${peer}/${service}`;
  for (const part of path) uri += `/${part}`;
  return uri as Uri;
}
