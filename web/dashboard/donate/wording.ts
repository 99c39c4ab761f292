// What the Donate page says, from what the kernel publishes. Pure, so that every sentence has a test.
import type { Running } from '../../kernel/protocol/contracts/executor.ts';
import type { ResourceState } from '../../kernel/protocol/contracts/resources.ts';
import { plural, ticking } from '../view/format.ts';

export interface Donating {
  readonly heading: string;
  readonly sentence: string;
  readonly tone: 'tide' | 'dusk' | 'mute';
  /** Share of the ring that is filled, and what stands in it. */
  /** What else holds work back, a sentence each. */
  readonly beside: readonly string[];
  readonly ring: { readonly share: number; readonly text: string; readonly below: string };
}

export const secondTabHeading = 'Lull is already open in another tab';

const cores = (n: number) => (n === 1 ? '1 core' : `${n} cores`);

/** @param ageMs how long ago `resources` was published */
export function donating(resources: ResourceState, running: readonly Running[], ageMs: number, waitingFor: string): Donating {
  return { ...standing(resources, running, ageMs, waitingFor), beside: resources.reasons.slice(1).map(({ sentence }) => sentence) };
}

function standing(resources: ResourceState, running: readonly Running[], ageMs: number, waitingFor: string): Omit<Donating, 'beside'> {
  const { state, limits, reason } = resources;
  const busy = running.filter((run) => run.phase === 'running').length;
  const max = Math.min(limits.cores, resources.coresOfMachine);
  switch (state) {
    case 'stopped':
      return {
        heading: resources.finishing ? 'Lull is about to stop' : 'Lull sleeps',
        sentence: reason.sentence,
        tone: 'dusk',
        ring: {
          share: max === 0 ? 0 : busy / max,
          text: resources.finishing ? 'finishing' : 'asleep',
          below: busy > 0 ? `${plural(busy, 'part')} to go` : 'until this tab wakes up',
        },
      };
    case 'constrained': {
      const left = resources.resumesInMs === null ? null : Math.max(0, resources.resumesInMs - ageMs);
      return {
        heading: 'Lull waits',
        sentence: reason.sentence,
        tone: 'dusk',
        ring: { share: 0, text: 'waiting', below: left === null ? 'until that changes' : `goes on in ${ticking(left)}` },
      };
    }
    case 'off':
      return {
        heading: 'This tab is not donating',
        sentence: 'Its cores rest. Start whenever you like; stop whenever you like.',
        tone: 'mute',
        ring: { share: 0, text: 'resting', below: `${cores(max)} could help` },
      };
    case 'in use':
    case 'cooling': {
      const left = resources.resumesInMs === null ? null : Math.max(0, resources.resumesInMs - ageMs);
      const wait = limits.idleAfterSeconds * 1000;
      const heading = 'Somebody is using this machine, so Lull waits';
      // The heading says it already where the reason is no more than that.
      const why = reason.sentence === `${heading}.` ? '' : reason.sentence;
      return {
        heading,
        sentence: [why, left === null ? '' : `It goes on ${ticking(wait)} after the last touch.`].filter((each) => each !== '').join(' '),
        tone: 'dusk',
        ring: {
          share: left === null || wait === 0 ? 0 : 1 - Math.min(1, left / wait),
          text: 'waiting',
          below: left === null ? 'until nobody touches it' : `goes on in ${ticking(left)}`,
        },
      };
    }
    case 'idle': {
      const quiet = `idle ${ticking(resources.quietMs + ageMs)}`;
      const sentence =
        busy > 0
          ? `${reason.code === '' ? 'Nobody is using it, so' : `${reason.sentence} Now`} ${busy} of ${cores(resources.coresOfMachine)} ${busy === 1 ? 'is' : 'are'} computing. Touch anything and ${busy === 1 ? 'it stops' : 'they stop'} within a blink.`
          : resources.workersAllowed === 0
            ? reason.sentence
            : `${reason.code === '' ? 'Nobody is using it, and it is ready.' : reason.sentence} ${waitingFor || 'There is no work for it just now.'}`;
      return {
        heading: 'This tab is giving its lull',
        sentence,
        tone: 'tide',
        ring: {
          share: max === 0 ? 0 : busy / max,
          text: busy > 0 ? cores(busy) : 'ready',
          below: busy > 0 ? `computing · ${quiet}` : quiet,
        },
      };
    }
  }
}
