// What a tab is up to, in the words and the shape of the Network page: no state is told by colour alone.
import type { MemberState } from '../../kernel/protocol/contracts/groups.ts';
import type { Member } from '../../kernel/protocol/contracts/membership.ts';
import { reasonThere } from '../../kernel/protocol/reasons.ts';
import type { Tone } from '../pieces/pieces.tsx';

/** full: ready or at work; half: its person comes first now; hollow: gives nothing; doubt: does not answer. */
export type Shape = 'full' | 'half' | 'hollow' | 'doubt';

export interface Standing {
  readonly word: string;
  readonly tone: Tone;
  readonly shape: Shape;
}

const standings: Readonly<Record<MemberState, Standing>> = {
  idle: { word: 'idle', tone: 'tide', shape: 'full' },
  cooling: { word: 'cooling', tone: 'dusk', shape: 'half' },
  'in use': { word: 'in use', tone: 'dusk', shape: 'half' },
  constrained: { word: 'held back', tone: 'dusk', shape: 'half' },
  stopped: { word: 'asleep', tone: 'mute', shape: 'hollow' },
  off: { word: 'not donating', tone: 'mute', shape: 'hollow' },
  suspect: { word: 'not answering', tone: 'coral', shape: 'doubt' },
  unknown: { word: 'just joined', tone: 'mute', shape: 'hollow' },
};

/** The shapes with a word each, for the legend. */
export const shapes: readonly (readonly [shape: Shape, tone: Tone, word: string])[] = [
  ['full', 'tide', 'idle: may compute'],
  ['half', 'dusk', 'in use'],
  ['hollow', 'mute', 'gives nothing'],
  ['doubt', 'coral', 'does not answer'],
];

/** Of a tab of another group: what its group says of it, undefined where it said nothing. */
export const standingThere = (state: MemberState | undefined): Standing => standings[state ?? 'unknown'];

export function standing({ status, offer }: Pick<Member, 'status' | 'offer'>): Standing {
  if (status === 'suspect') return standings.suspect;
  if (offer === null) return standings.unknown;
  if (offer.state === 'stopped' && offer.sandbox.workersRunning > 0) return { word: 'finishing', tone: 'dusk', shape: 'half' };
  return standings[offer.state];
}

export function sentenceFor({ status, offer }: Pick<Member, 'status' | 'offer'>): string {
  if (status === 'suspect') return 'It has not answered for a moment. Its work is given to others if it stays silent.';
  if (offer === null) return 'It joined just now and has not said yet what it offers.';
  if (offer.reason !== '') return reasonThere(offer.reason);
  return offer.sandbox.workersRunning > 0
    ? 'Nobody is using that machine, so it computes.'
    : 'Nobody is using that machine: it is ready for work.';
}
