// Of several bridges between two groups one speaks for both; the others are there in case it breaks.
import type { PeerId } from './ids.ts';

interface Pair {
  readonly here: PeerId;
  readonly there: PeerId;
}

const key = ({ here, there }: Pair) => (here < there ? `${here}${there}` : `${there}${here}`);

/** The pair that both sides choose, whichever of the two they see it from; undefined where there is none. */
export function speakingBridge<P extends Pair>(bridges: readonly P[]): P | undefined {
  return bridges.reduce<P | undefined>((least, pair) => (least === undefined || key(pair) < key(least) ? pair : least), undefined);
}
