// What the machine tells, and whether its person is here. A page hears only input made in it; the tabs of a profile tell each
// other, so that typing in one stops the workers of all. What else a browser may tell is one file each (machine-*.ts).
import type { Machine } from '../kernel/platform.ts';
import { batterySensor } from './machine-battery.ts';
import { connectionSensor } from './machine-connection.ts';
import { frozenSensor, heapShare, watchLongFrames } from './machine-page.ts';
import { personSensor } from './machine-person.ts';
import { pressureSensor } from './machine-pressure.ts';
import { scoutOf } from './machine-scout.ts';

const inputEvents = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart'] as const;
const channelName = 'lull-input';
/** Told to other tabs no more often than so: a moving pointer fires up to a thousand times a second. */
const tellEveryMs = 200;

export function browserMachine(): Machine {
  const { hardwareConcurrency } = navigator;
  const memoryGiB = 'deviceMemory' in navigator && typeof navigator.deviceMemory === 'number' ? navigator.deviceMemory : null;
  let tell: () => void = () => undefined;
  const changed = () => tell();
  const battery = batterySensor(changed);
  const metered = connectionSensor(changed);
  const pressure = pressureSensor(changed);
  const person = personSensor(changed);
  const frozen = frozenSensor(changed);
  const visible = () => document.visibilityState === 'visible';
  return {
    cores: Math.max(1, hardwareConcurrency || 1),
    memoryMiB: memoryGiB === null ? null : memoryGiB * 1024,
    visible,
    signals: () => ({
      battery: battery.read(),
      pressure: pressure.read(),
      metered: metered.read(),
      person: person.read(),
      heapShare: heapShare(),
      frozen: frozen.read() === true,
    }),
    utcOffsetMinutes: () => -new Date().getTimezoneOffset(),
    scout: scoutOf(),
    watch: (listener) => {
      const tabs = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(channelName);
      let toldAt = -Infinity;
      const onInput = () => {
        // First our own reaction, which must come within 100 ms.
        listener.input();
        const now = performance.now();
        if (now - toldAt < tellEveryMs) return;
        toldAt = now;
        tabs?.postMessage(0);
      };
      // Dictated, pasted or chosen from a list: no key was pressed. The field holds its new value by now and the page has not read it yet, so
      // whatever drew the field anew in between would put the old one back: this waits until the event has been everywhere.
      let edited: ReturnType<typeof setTimeout> | undefined;
      const onEdit = () => {
        edited ??= setTimeout(() => {
          edited = undefined;
          onInput();
        });
      };
      const onVisibility = () => listener.visible(visible());
      const options = { capture: true, passive: true } as const;
      for (const name of inputEvents) window.addEventListener(name, onInput, options);
      window.addEventListener('input', onEdit, options);
      document.addEventListener('visibilitychange', onVisibility);
      if (tabs !== undefined) tabs.onmessage = () => listener.input();
      tell = () => listener.signals();
      const noLongFrames = watchLongFrames((ms) => listener.slow(ms));
      return () => {
        tell = () => undefined;
        noLongFrames();
        for (const name of inputEvents) window.removeEventListener(name, onInput, options);
        window.removeEventListener('input', onEdit, options);
        clearTimeout(edited);
        document.removeEventListener('visibilitychange', onVisibility);
        tabs?.close();
      };
    },
  };
}
