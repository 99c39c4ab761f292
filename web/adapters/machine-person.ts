// Whether the person uses the machine, in whatever program (Idle Detection API: Chromium, and only where they have allowed it).
import { nothingToRead, type Sensor } from './sensor.ts';

export type PersonReading = 'active' | 'away';
/** The least that the browser takes. */
const thresholdMs = 60_000;

/** Subset of IdleDetector. */
interface Detector extends Pick<EventTarget, 'addEventListener'> {
  readonly userState: 'active' | 'idle' | null;
  readonly screenState: 'locked' | 'unlocked' | null;
  start(options: { readonly threshold: number; readonly signal: AbortSignal }): Promise<void>;
}

/** Subset of PermissionStatus. */
interface Permission extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly state: string;
}

export interface PersonHost {
  readonly IdleDetector?: new () => Detector;
  readonly navigator?: { readonly permissions?: { query(descriptor: { readonly name: string }): Promise<Permission> } };
}

/** Asks nobody: it watches where that is allowed already, and from when it becomes so. */
export function personSensor(changed: () => void, host: PersonHost = globalThis as unknown as PersonHost): Sensor<PersonReading> {
  const { IdleDetector } = host;
  const permissions = host.navigator?.permissions;
  if (IdleDetector === undefined || permissions === undefined) return nothingToRead;
  const stopped = new AbortController();
  let watching: AbortController | undefined;
  let reading: PersonReading | null = null;
  const become = (next: PersonReading | null) => {
    if (next === reading) return;
    reading = next;
    changed();
  };
  const watch = async () => {
    const detector = new IdleDetector();
    const ended = new AbortController();
    watching = ended;
    const look = () => {
      if (ended.signal.aborted || detector.userState === null) return;
      become(detector.screenState === 'locked' || detector.userState === 'idle' ? 'away' : 'active');
    };
    detector.addEventListener('change', look);
    await detector.start({ threshold: thresholdMs, signal: ended.signal });
    look();
  };
  const follow = (permission: Permission) => {
    const granted = permission.state === 'granted';
    if (granted && watching === undefined) watch().catch(() => become(null));
    if (granted || watching === undefined) return;
    watching.abort();
    watching = undefined;
    become(null);
  };
  permissions.query({ name: 'idle-detection' }).then(
    (permission) => {
      if (stopped.signal.aborted) return;
      const onChange = () => follow(permission);
      permission.addEventListener('change', onChange);
      stopped.signal.addEventListener('abort', () => permission.removeEventListener('change', onChange));
      follow(permission);
    },
    () => undefined,
  );
  return {
    read: () => reading,
    stop: () => {
      stopped.abort();
      watching?.abort();
    },
  };
}
