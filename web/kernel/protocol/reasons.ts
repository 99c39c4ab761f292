// Why nothing, or not more, runs on a machine: a closed list, each with one sentence for its own person and one for the others of
// the group. A tab of a newer site may name a reason that is not here: `reasonThere` then says so in general words.

interface Said {
  /** On the machine itself. */
  readonly here: string;
  /** About another member. */
  readonly there: string;
  /** What so many members are, behind their number; several reasons may be the same to whoever waits for them. */
  readonly many: string;
}

const said = {
  // Nobody has agreed, or no longer does.
  'not-asked': {
    here: 'Lull uses nothing of this machine until you say so.',
    there: 'It submits and watches, and does not donate.',
    many: 'not donating',
  },
  'not-donating': {
    here: 'This tab is not donating.',
    there: 'It submits and watches, and does not donate.',
    many: 'not donating',
  },
  'other-tab': {
    here: 'Another tab of this browser speaks for it, so this one does not donate.',
    there: 'Another tab of that browser speaks for it.',
    many: 'a second tab of its browser',
  },
  finishing: {
    here: 'Lull finishes the parts it has begun, then stops.',
    there: 'It finishes the parts it has begun, then stops.',
    many: 'about to stop donating',
  },
  frozen: {
    here: 'The browser has put this tab to sleep.',
    there: 'Its browser has put the tab to sleep.',
    many: 'put to sleep by the browser',
  },
  paused: {
    here: 'You asked Lull to pause for a while.',
    there: 'Its person asked it to pause for a while.',
    many: 'paused by their owner',
  },
  // The person is there.
  'in-use': {
    here: 'Somebody is using this machine, so Lull waits.',
    there: 'Somebody is using that machine, so it waits.',
    many: 'in use by their owner',
  },
  shown: {
    here: 'This page came into view a moment ago, so Lull waits.',
    there: 'Its page came into view a moment ago, so it waits.',
    many: 'in use by their owner',
  },
  'in-use-elsewhere': {
    here: 'Somebody is using other programs on this machine, so Lull waits.',
    there: 'Somebody is using other programs on that machine, so it waits.',
    many: 'in use by their owner',
  },
  cooling: {
    here: 'Somebody was here a moment ago, so Lull waits a little longer.',
    there: 'Somebody just left that machine: it starts when it has been quiet for long enough.',
    many: 'not quiet for long enough yet',
  },
  // What the person has chosen.
  schedule: {
    here: 'It is outside the hours that you chose for donating.',
    there: 'It is outside the hours its person chose.',
    many: 'outside the hours their owner chose',
  },
  'on-battery': {
    here: 'This machine runs on its battery, and you chose not to compute then.',
    there: 'That machine runs on its battery.',
    many: 'on battery',
  },
  metered: {
    here: 'This connection is metered or saves data, and you chose not to use such a one.',
    there: 'That machine is on a metered connection.',
    many: 'on a metered connection',
  },
  'upload-used': {
    here: 'What you let Lull send in a day has been sent.',
    there: 'It has sent what it may send in a day.',
    many: 'at their limit of traffic for today',
  },
  'download-used': {
    here: 'What you let Lull fetch in a day has been fetched.',
    there: 'It has fetched what it may fetch in a day.',
    many: 'at their limit of traffic for today',
  },
  'memory-limit': {
    here: 'The memory you allow is too little for one worker.',
    there: 'The memory its person allows is too little for one worker.',
    many: 'not enough memory',
  },
  // What the machine can spare.
  'battery-low': {
    here: 'The battery is low, so Lull waits until it is charged.',
    there: 'The battery of that machine is low.',
    many: 'low on battery',
  },
  'memory-low': {
    here: 'This browser is short of memory, so Lull waits.',
    there: 'Its browser is short of memory.',
    many: 'not enough memory',
  },
  'storage-full': {
    here: 'The space this browser gives to the site is used up, so results would have no place.',
    there: 'The space its browser gives is used up.',
    many: 'out of space for data',
  },
  pressure: {
    here: 'This machine is very busy, and not with Lull, so Lull waits.',
    there: 'That machine is very busy with something else.',
    many: 'busy with other programs',
  },
  yielding: {
    here: 'Other programs need the processor, so Lull makes room for them.',
    there: 'Other programs on that machine need its processor.',
    many: 'busy with other programs',
  },
  'slow-page': {
    here: 'This page is slow to respond, so Lull computes less.',
    there: 'Its page is slow to respond, so it computes less.',
    many: 'slow to respond',
  },
} as const satisfies Record<string, Said>;

export type ReasonCode = keyof typeof said;

export const reasonCodes = Object.keys(said) as readonly ReasonCode[];

/** Codes come from strangers. */
const isKnown = (code: string): code is ReasonCode => Object.hasOwn(said, code);

/** For the person at this machine. */
export const reasonHere = (code: ReasonCode): string => said[code].here;

/** About another member, by the code of its offer; '' where nothing holds it back. */
export function reasonThere(code: string): string {
  if (code === '') return '';
  return isKnown(code) ? said[code].there : 'It waits, for a reason that this page does not know yet.';
}

/** What members with that reason are, behind their number: '3 members: in use by their owner'. */
export const reasonOfMany = (code: string): string => (isKnown(code) ? said[code].many : 'held back for another reason');
