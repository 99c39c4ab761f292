// What the person allows. Each change is sent when the hand has come to rest, and kept by the kernel.
import type { Limits, ResourceState } from '../../kernel/protocol/contracts/resources.ts';
import { useCommand, useDeps } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { bytes, ticking } from '../view/format.ts';
import { HoursField } from './hours-field.tsx';
import { PersonField } from './person-field.tsx';
import { Slider } from './slider.tsx';

const mebibyte = 2 ** 20;
const storageSteps = [128, 256, 512, 1024, 2048, 5120, 10_240, 20_480];
const memorySteps = [128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
const trafficSteps = [64, 128, 256, 512, 1024, 2048, 5120, 10_240, 51_200, 102_400];
const waitSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const shareSteps = [10, 25, 50, 75, 100];
const nearest = (steps: readonly number[], value: number) =>
  steps.reduce((best, step, i) => (Math.abs(step - value) < Math.abs(steps[best]! - value) ? i : best), 0);

export function LimitsCard({ resources }: { resources: ResourceState }) {
  const { donor } = useDeps();
  const { run, problem } = useCommand();
  const { limits, coresOfMachine, today } = resources;
  const change = (limit: Partial<Limits>) => run(() => donor.limit(limit));
  const stepped = (label: string, steps: readonly number[], value: number, say: (step: number) => string, send: (step: number) => void) => (
    <Slider
      label={label}
      value={nearest(steps, value)}
      min={0}
      max={steps.length - 1}
      say={(i) => say(steps[i]!)}
      onChange={(i) => send(steps[i]!)}
    />
  );
  const size = (mebibytes: number) => bytes(mebibytes * mebibyte);
  return (
    <section className="card limits" aria-label="Limits">
      <Slider
        label="Cores at most"
        value={limits.cores}
        min={1}
        max={coresOfMachine}
        say={(value) => `${value} of ${coresOfMachine}`}
        onChange={(cores) => change({ cores })}
      />
      {stepped(
        'Wait after I leave',
        waitSteps,
        limits.idleAfterSeconds,
        (seconds) => ticking(seconds * 1000),
        (idleAfterSeconds) => change({ idleAfterSeconds }),
      )}
      {stepped('Storage at most', storageSteps, limits.storageMiB, size, (storageMiB) => change({ storageMiB }))}
      <details className="more-limits">
        <summary>More limits</summary>
        <div className="limits-grid">
          <Slider
            label="Cores while I use it"
            value={limits.coresInUse}
            min={0}
            max={coresOfMachine}
            say={(value) => (value === 0 ? 'none: everything stops' : `${value} of ${coresOfMachine}`)}
            onChange={(coresInUse) => change({ coresInUse })}
          />
          {stepped(
            'Share of the time',
            shareSteps,
            limits.shareOfTime,
            (share) => (share === 100 ? 'all of it' : `${share} %: rests in between, stays cooler`),
            (shareOfTime) => change({ shareOfTime }),
          )}
          {stepped('Memory at most', memorySteps, limits.memoryMiB, size, (memoryMiB) => change({ memoryMiB }))}
          {stepped(
            'Upload a day',
            trafficSteps,
            limits.uploadMiBPerDay,
            (step) => `${size(step)}, ${size(today.uploadMiB)} sent today`,
            (uploadMiBPerDay) => change({ uploadMiBPerDay }),
          )}
          {stepped(
            'Download a day',
            trafficSteps,
            limits.downloadMiBPerDay,
            (step) => `${size(step)}, ${size(today.downloadMiB)} fetched today`,
            (downloadMiBPerDay) => change({ downloadMiBPerDay }),
          )}
          <div className="ticks">
            <Tick label="Also on battery" on={limits.onBattery} onChange={(onBattery) => change({ onBattery })} />
            <Tick label="Also on a metered connection" on={limits.onMetered} onChange={(onMetered) => change({ onMetered })} />
            <PersonField />
          </div>
          <HoursField schedule={limits.schedule} onChange={(schedule) => change({ schedule })} />
        </div>
      </details>
      {problem === '' ? null : <Notice tone="coral">{problem}</Notice>}
    </section>
  );
}

function Tick({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="tick">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} /> {label}
    </label>
  );
}
