// One line on a terminal that is written anew.
import type { Status } from './in-page.ts';

const barWidth = 24;
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** How a job stands, in at most `columns` characters. */
export function progressLine({ state, reason, progress, others }: Status, columns: number): string {
  const { items, committed, failed, ratePerSecond, etaSeconds } = progress;
  const share = items === 0 ? 0 : (committed + failed) / items;
  const parts = [
    `${'#'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '.')} ${whole.format(committed)} of ${whole.format(items)}`,
    ...(failed > 0 ? [`${whole.format(failed)} failed`] : []),
    ...(ratePerSecond > 0 ? [`${ratePerSecond < 10 ? ratePerSecond.toFixed(1) : whole.format(ratePerSecond)}/s`] : []),
    ...(etaSeconds !== null && etaSeconds > 0 ? [`${duration(etaSeconds)} left`] : []),
    ...(others === 0 ? ['nobody else is here yet'] : committed === 0 && state === 'queued' ? ['waiting for somebody idle'] : []),
    ...(state === 'paused' ? ['paused'] : []),
    ...(reason === '' ? [] : [reason]),
  ];
  return parts.join('  ').slice(0, Math.max(0, columns - 1));
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.ceil((seconds % 3_600) / 60)} min`;
}

/** Draws only where somebody sees it. */
export class ProgressBar {
  #line = '';

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly isShown: boolean,
  ) {}

  show(status: Status): void {
    if (!this.isShown) return;
    this.clear();
    this.#line = progressLine(status, this.stream.columns || 80);
    this.stream.write(this.#line);
  }

  /** Takes the line away: something else is to be written. */
  clear(): void {
    if (this.#line === '') return;
    this.stream.write('\r\u001B[K');
    this.#line = '';
  }
}
