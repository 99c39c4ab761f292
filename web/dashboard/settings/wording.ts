// What the Settings page says. Pure, so that every sentence has a test.
import type { KnownNetwork } from '../../kernel/lib/invite.ts';
import { nameOf } from '../../kernel/lib/names.ts';
import { plural } from '../view/format.ts';

/** What somebody calls a network; by its key where nobody called it anything. */
export const titleOf = (network: KnownNetwork | null): string =>
  network === null ? 'the public network' : network.name === '' ? `network ${network.network.slice(0, 8)}` : network.name;

export const headingOf = (name: string | null, network: KnownNetwork | null): string =>
  `${name === null ? 'This browser is' : `You are ${name}`}, in ${titleOf(network)}`.replace('is, in', 'is in');

/** What becomes of who one is, and of that one's jobs, before one becomes somebody else. */
export function becomingWords(from: string, to: string, unfinished: number): readonly string[] {
  const [before, after] = [nameOf(from), nameOf(to)];
  return [
    `All tabs of this browser are loaded again and are ${after} from then on. Work that is just being handed over in one of them is lost.`,
    unfinished === 0
      ? `Jobs of ${before} and their results stay in the network until they expire, but only ${before} can change them or take their results for good.`
      : `${plural(unfinished, 'job')} of ${before} ${unfinished === 1 ? 'is' : 'are'} not finished. ${unfinished === 1 ? 'It goes' : 'They go'} on without you, and the results are kept until they expire; only ${before} can change them or take the results for good.`,
    `The key of ${before} stays in this browser, on this page, until you remove it. Whoever clears the browser’s data removes it too: keep its phrase.`,
  ];
}

/** What it means to move, before one does. `donating` is whether this browser donates where it is now. */
export function movingWords(from: KnownNetwork | null, to: KnownNetwork | null, donating: boolean): readonly string[] {
  return [
    `All tabs of this browser are loaded again and are in ${titleOf(to)} from then on. Work that is just being handed over in one of them is lost.`,
    `What this browser keeps for ${titleOf(from)} stays on this disk, but nobody can fetch it from here until you come back. Your jobs there go on without you.`,
    donating
      ? `It donates to ${titleOf(from)} now, and that stops. Whether it donates to ${titleOf(to)} is a choice of its own.`
      : `Whether it donates to ${titleOf(to)} is a choice of its own.`,
  ];
}
