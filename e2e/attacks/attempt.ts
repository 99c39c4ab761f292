// One try of one attack in one place, and whether it worked: as servers, another tab, or what cannot be known otherwise tell it.
import { expect } from '@playwright/test';
import type { AttackSite } from '../harness/attack-site.ts';
import { codeOf, type Attack, type Told } from './attacks.ts';
import type { RunOptions, RunReport } from './host.ts';
import { makeVictim, readable, witnessed } from './witness.ts';

/** A page of the attack range, by Playwright or by puppeteer-core. */
export interface RangePage {
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
}

/** In a plain Worker of our origin (the control), in the frame without the scrub, as a job gets it. */
export const places = ['control', 'frame', 'job'] as const;
export type Place = (typeof places)[number];

export const unscrubbedPage = '/sandbox-unscrubbed.html';
/** What is slower than this is found at the end. */
export const settleMs = 150;
const lingerMs = 1_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const runInJob = (page: RangePage, code: string, options: RunOptions): Promise<RunReport> =>
  page.evaluate(([text, settings]) => window.range.runInJob(text, settings), [code, options] as const);

const takesAway: ReadonlySet<string> = new Set(['missing-database', 'missing-cache', 'missing-file', 'stolen-lock']);

export interface Attempt {
  readonly worked: boolean;
  /** Looks again later: a packet may be slow. */
  stillQuiet(): boolean;
}

export async function attempt(
  site: AttackSite,
  attack: Attack,
  place: Place,
  at: number,
  page: RangePage,
  witness: RangePage,
  secret: string,
): Promise<Attempt> {
  const mark = `m${at}-${place}-${secret.slice(0, 6)}`;
  const udp = attack.seen.by === 'packets' ? await site.udp() : undefined;
  const told: Told = { mark, site: site.origin, judge: site.judge, judgeSocket: site.judgeSocket, udpPort: udp?.port ?? 0 };
  const { seen } = attack;
  if (seen.by === 'witness' && takesAway.has(seen.look)) await witness.evaluate(makeVictim, mark);
  const code = codeOf(attack);
  const asked = () =>
    site.asked.some((path) => path.includes(`/hit/${mark}`) && path.endsWith(seen.by === 'server' ? (seen.path ?? '') : ''));
  // What holds on only while it runs is looked at meanwhile.
  const look = async () => seen.by === 'witness' && (await witness.evaluate(witnessed, { look: seen.look, mark }));
  let sawMeanwhile = false;
  const meanwhile = seen.by === 'witness' && seen.look === 'locks' ? pause(600).then(async () => (sawMeanwhile = await look())) : undefined;
  let value: unknown;
  let raw: unknown[] = [];
  if (place === 'control')
    ({ value, raw } = await page.evaluate(([text, a, linger]) => window.range.runInPlainWorker(text, a, linger), [
      code,
      told,
      lingerMs,
    ] as const));
  else {
    const options: RunOptions = {
      args: told,
      itemMs: 4_000,
      withinMs: 8_000,
      lingerMs,
      ...(place === 'frame' ? { page: unscrubbedPage } : {}),
    };
    const report = await runInJob(page, code, options);
    expect(report.logs, `${attack.name} was really tried in the ${place}`).toContain('begun');
    value = report.first;
    raw = await page.evaluate(() => window.strayMessages, undefined);
  }
  await meanwhile;
  if (seen.by === 'server' || seen.by === 'packets') {
    const until = Date.now() + (place === 'control' ? 3_000 : settleMs);
    while (Date.now() < until && !asked() && (udp?.heard() ?? 0) === 0) await pause(20);
  }
  const worked = async (): Promise<boolean> => {
    switch (seen.by) {
      case 'server':
        return asked();
      case 'packets':
        return udp!.heard() > 0;
      case 'secret':
        return typeof value === 'string' && value.includes(secret);
      case 'witness':
        return sawMeanwhile || (await look());
      case 'address':
        // Only what is of our own origin can be read from our other tab.
        return typeof value === 'string' && (await witness.evaluate(readable, value)) === mark;
      case 'stray message':
        return JSON.stringify(raw).includes(mark);
      case 'value':
        if (seen.like === 'number') return typeof value === 'number' && value > 0;
        if (seen.like === 'text') return typeof value === 'string' && value !== '';
        return typeof value === 'string' && value.startsWith(seen.like === 'site' ? site.origin : 'Mozilla/');
    }
  };
  return { worked: await worked(), stillQuiet: () => !asked() && (udp?.heard() ?? 0) === 0 };
}
