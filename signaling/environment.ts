// Settings from the environment: PORT, HOST, TLS_CERT, TLS_KEY, ICE_SERVERS, GROUP_PEERS_MAX, SOCKETS_MAX, SOCKETS_PER_ADDRESS_MAX,
// TRUST_PROXY, ORIGINS, OPERATOR_DIRECTORY (and SITE_DIRECTORY, in main.ts). What is set wrongly stops the start, in one line.
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { groupPeersMax } from '../web/kernel/limits.ts';
import { defaultLimits } from './limits.ts';
import type { ServerOptions } from './server.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const urlOfIce = v.pipe(v.string(), v.maxLength(500), v.regex(/^(?:stuns?|turns?):\S+$/, 'urls start with stun: or turn:'));
const iceServersSchema = v.pipe(
  v.array(
    v.strictObject({
      urls: v.union([urlOfIce, v.pipe(v.array(urlOfIce), v.maxLength(8))]),
      username: v.optional(v.pipe(v.string(), v.maxLength(500))),
      credential: v.optional(v.pipe(v.string(), v.maxLength(500))),
    }),
  ),
  v.maxLength(16),
);

/** @throws Error whose message is one line for a person */
export function optionsFromEnvironment(environment: Environment): Omit<ServerOptions, 'siteDirectory' | 'report'> {
  return {
    port: integer(environment, 'PORT', 8787, 0, 65_535),
    // Only this machine, until somebody says otherwise: other machines need https anyway (TLS_CERT, TLS_KEY).
    host: environment.HOST || '127.0.0.1',
    tls: tls(environment),
    iceServers: iceServers(environment.ICE_SERVERS),
    trustProxy: environment.TRUST_PROXY === '1',
    origins: (environment.ORIGINS ?? '')
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
    operatorDirectory: environment.OPERATOR_DIRECTORY || null,
    limits: {
      groupPeersMax: integer(environment, 'GROUP_PEERS_MAX', groupPeersMax, 1, groupPeersMax),
      socketsMax: integer(environment, 'SOCKETS_MAX', defaultLimits.socketsMax, 1, 1_000_000),
      socketsPerAddressMax: integer(environment, 'SOCKETS_PER_ADDRESS_MAX', defaultLimits.socketsPerAddressMax, 1, 1_000_000),
    },
  };
}

function integer(environment: Environment, name: string, otherwise: number, min: number, max: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(`${name} must be a whole number from ${min} to ${max}, not "${text}".`);
  return value;
}

function tls({ TLS_CERT, TLS_KEY }: Environment): ServerOptions['tls'] {
  if (!TLS_CERT && !TLS_KEY) return null;
  if (!TLS_CERT || !TLS_KEY) throw new Error('https needs both TLS_CERT and TLS_KEY: paths of two PEM files.');
  return { cert: readPem('TLS_CERT', TLS_CERT), key: readPem('TLS_KEY', TLS_KEY) };
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${name}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
  }
}

/** None by default: tabs of one machine or one local network find each other without, and no stranger's server is told of them. */
function iceServers(text: string | undefined): readonly unknown[] {
  if (!text) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('ICE_SERVERS is not JSON. An example: ICE_SERVERS=\'[{"urls":"stun:stun.example.org:3478"}]\'');
  }
  const parsed = v.safeParse(iceServersSchema, value);
  if (!parsed.success) throw new Error(`ICE_SERVERS does not list ICE servers: ${parsed.issues[0].message}.`);
  return parsed.output;
}
