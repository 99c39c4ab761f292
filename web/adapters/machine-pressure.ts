// How busy the processor is (Compute Pressure API: Chromium). Of the whole machine: our own workers show in it too.
import { nothingToRead, type Sensor } from './sensor.ts';

export type Pressure = 'nominal' | 'fair' | 'serious' | 'critical';
const known: ReadonlySet<string> = new Set<Pressure>(['nominal', 'fair', 'serious', 'critical']);
const sampleIntervalMs = 1_000;

/** Subset of PressureObserver. */
interface Observer {
  observe(source: 'cpu', options: { readonly sampleInterval: number }): Promise<void>;
  disconnect(): void;
}

export interface PressureHost {
  readonly PressureObserver?: new (listen: (records: readonly { readonly state: string }[]) => void) => Observer;
  readonly document?: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;
}

export function pressureSensor(changed: () => void, host: PressureHost = globalThis as unknown as PressureHost): Sensor<Pressure> {
  const { PressureObserver, document } = host;
  if (PressureObserver === undefined) return nothingToRead;
  let state: Pressure | null = null;
  const become = (next: Pressure | null) => {
    if (next === state) return;
    state = next;
    changed();
  };
  const observer = new PressureObserver((records) => {
    const last = records.at(-1)?.state ?? '';
    if (known.has(last)) become(last as Pressure);
  });
  // Refused by policy or platform: then nobody knows.
  observer.observe('cpu', { sampleInterval: sampleIntervalMs }).catch(() => become(null));
  // A hidden page is told nothing more: what it heard last is not true for ever.
  const onVisibility = () => {
    if (document?.visibilityState === 'hidden') become(null);
  };
  document?.addEventListener('visibilitychange', onVisibility);
  return {
    read: () => state,
    stop: () => {
      observer.disconnect();
      document?.removeEventListener('visibilitychange', onVisibility);
    },
  };
}
