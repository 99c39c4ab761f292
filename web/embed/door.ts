// The first words with the page that frames this one. Only the browser's own word for who it is counts: MessageEvent.origin.
import { portVersion, type WindowMessage } from '../sdk/remote/port-protocol.ts';

export interface Visitor {
  readonly origin: string;
  readonly port: MessagePort;
  /** The secret it brings, 64 hex digits; null: its own identity. */
  readonly identity: string | null;
  /** The key of a private network; null: the public one. */
  readonly network: string | null;
}

const secretForm = /^[0-9a-f]{64}$/;
const isSecretOrNull = (given: unknown): given is string | null => given === null || (typeof given === 'string' && secretForm.test(given));

/** Resolves with the first page that opens the door: the direct parent of this frame, once. Never, where nobody frames it. */
export function visitor(frame: Window): Promise<Visitor> {
  return new Promise((resolve) => {
    if (frame.parent === frame) return;
    const listen = ({ source, origin, data, ports }: MessageEvent<Partial<WindowMessage> | null>) => {
      const [port] = ports;
      if (source !== frame.parent || port === undefined || data?.lull !== 'open' || data.version !== portVersion) return;
      const { identity, network } = data as { identity: unknown; network: unknown };
      if (!isSecretOrNull(identity) || !isSecretOrNull(network)) return;
      frame.removeEventListener('message', listen);
      resolve({ origin, port, identity, network });
    };
    frame.addEventListener('message', listen);
    // Says nothing but that it is there, so anybody may hear it.
    frame.parent.postMessage({ lull: 'up', version: portVersion } satisfies WindowMessage, '*');
  });
}
