// Why nothing, or not more, runs on a machine: a closed list, each with one sentence for its own person and one for the others of
// the group. A tab of a newer site may name a reason that is not here: `reasonThere` then says so in general words.

interface Said {
  /** On the machine itself. */
  readonly here: string;
  /** About another member. */
  readonly there: string;
}

const said = {
  // Nobody has agreed, or no longer does.
  'not-asked': { here: 'Lull uses nothing of this machine until you say so.', there: 'It submits and watches, and does not donate.' },
  'not-donating': { here: 'This tab is not donating.', there: 'It submits and watches, and does not donate.' },
  'other-tab': {
    here: 'Another tab of this browser speaks for it, so this one does not donate.',
    there: 'Another tab of that browser speaks for it.',
  },
  finishing: { here: 'Lull finishes the parts it has begun, then stops.', there: 'It finishes the parts it has begun, then stops.' },
  frozen: { here: 'The browser has put this tab to sleep.', there: 'Its browser has put the tab to sleep.' },
  paused: { here: 'You asked Lull to pause for a while.', there: 'Its person asked it to pause for a while.' },
  // The person is there.
  'in-use': { here: 'Somebody is using this machine, so Lull waits.', there: 'Somebody is using that machine, so it waits.' },
  shown: { here: 'This page came into view a moment ago, so Lull waits.', there: 'Its page came into view a moment ago, so it waits.' },
  'in-use-elsewhere': {
    here: 'Somebody is using other programs on this machine, so Lull waits.',
    there: 'Somebody is using other programs on that machine, so it waits.',
  },
  cooling: {
    here: 'Somebody was here a moment ago, so Lull waits a little longer.',
    there: 'Somebody just left that machine: it starts when it has been quiet for long enough.',
  },
  // What the person has chosen.
  schedule: { here: 'It is outside the hours that you chose for donating.', there: 'It is outside the hours its person chose.' },
  'on-battery': {
    here: 'This machine runs on its battery, and you chose not to compute then.',
    there: 'That machine runs on its battery.',
  },
  metered: {
    here: 'This connection is metered or saves data, and you chose not to use such a one.',
    there: 'That machine is on a metered connection.',
  },
  'upload-used': { here: 'What you let Lull send in a day has been sent.', there: 'It has sent what it may send in a day.' },
  'download-used': { here: 'What you let Lull fetch in a day has been fetched.', there: 'It has fetched what it may fetch in a day.' },
  'memory-limit': {
    here: 'The memory you allow is too little for one worker.',
    there: 'The memory its person allows is too little for one worker.',
  },
  // What the machine can spare.
  'battery-low': { here: 'The battery is low, so Lull waits until it is charged.', there: 'The battery of that machine is low.' },
  'memory-low': { here: 'This browser is short of memory, so Lull waits.', there: 'Its browser is short of memory.' },
  'storage-full': {
    here: 'The space this browser gives to the site is used up, so results would have no place.',
    there: 'The space its browser gives is used up.',
  },
  pressure: {
    here: 'This machine is very busy, and not with Lull, so Lull waits.',
    there: 'That machine is very busy with something else.',
  },
  yielding: {
    here: 'Other programs need the processor, so Lull makes room for them.',
    there: 'Other programs on that machine need its processor.',
  },
  'slow-page': { here: 'This page is slow to respond, so Lull computes less.', there: 'Its page is slow to respond, so it computes less.' },
} as const satisfies Record<string, Said>;

export type ReasonCode = keyof typeof said;

export const reasonCodes = Object.keys(said) as readonly ReasonCode[];

/** For the person at this machine. */
export const reasonHere = (code: ReasonCode): string => said[code].here;

/** About another member, by the code of its offer; '' where nothing holds it back. */
export function reasonThere(code: string): string {
  if (code === '') return '';
  return code in said ? said[code as ReasonCode].there : 'It waits, for a reason that this page does not know yet.';
}
