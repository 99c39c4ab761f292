// Whether bytes cost the person something (Network Information API: Chromium).
import { nothingToRead, type Sensor } from './sensor.ts';

/** Subset of NetworkInformation. */
interface Connection extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly saveData?: boolean;
  /** Desktop browsers do not tell. */
  readonly type?: string;
}

export interface ConnectionHost {
  readonly connection?: Connection;
}

/** Whether it is metered. */
export function connectionSensor(changed: () => void, host: ConnectionHost = navigator as unknown as ConnectionHost): Sensor<boolean> {
  const { connection } = host;
  if (connection === undefined) return nothingToRead;
  connection.addEventListener('change', changed);
  return {
    read: () => connection.saveData === true || connection.type === 'cellular',
    stop: () => connection.removeEventListener('change', changed),
  };
}
