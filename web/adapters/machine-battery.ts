// Battery and charger (Battery Status API: Chromium).
import { nothingToRead, type Sensor } from './sensor.ts';

export interface BatteryReading {
  readonly charging: boolean;
  /** 0 to 1. */
  readonly level: number;
}

/** Subset of BatteryManager. */
interface Battery extends BatteryReading, Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {}

export interface BatteryHost {
  getBattery?(): Promise<Battery>;
}

const events = ['chargingchange', 'levelchange'] as const;

export function batterySensor(changed: () => void, host: BatteryHost = navigator as unknown as BatteryHost): Sensor<BatteryReading> {
  if (typeof host.getBattery !== 'function') return nothingToRead;
  let battery: Battery | undefined;
  let stopped = false;
  host.getBattery().then(
    (found) => {
      if (stopped) return;
      battery = found;
      for (const name of events) found.addEventListener(name, changed);
      changed();
    },
    () => undefined,
  );
  return {
    read: () => (battery === undefined ? null : { charging: battery.charging, level: battery.level }),
    stop: () => {
      stopped = true;
      for (const name of events) battery?.removeEventListener(name, changed);
    },
  };
}
