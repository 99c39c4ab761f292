// What this tab tells the group about itself.
import type { Running } from '../../protocol/contracts/executor.ts';
import type { ResourceState } from '../../protocol/contracts/resources.ts';
import type { Offer } from '../../protocol/offer.ts';

export interface OfferFacts {
  readonly resources: ResourceState;
  readonly memoryMiB: number | null;
  /** The store outlives the page. */
  readonly durable: boolean;
  readonly usedBytes: number;
  /** 0 where the host does not tell. */
  readonly quotaBytes: number;
  readonly running: readonly Running[];
  readonly itemsPerSecond: number;
  readonly stretchSeconds: number | undefined;
}

const mebibyte = 1024 * 1024;

export function offerOf({
  resources,
  memoryMiB,
  durable,
  usedBytes,
  quotaBytes,
  running,
  itemsPerSecond,
  stretchSeconds,
}: OfferFacts): Offer {
  const usedMiB = Math.round(usedBytes / mebibyte);
  const quotaMiB = quotaBytes === 0 ? resources.limits.storageMiB : Math.floor(quotaBytes / mebibyte);
  const allowedMiB = durable ? Math.min(resources.limits.storageMiB, quotaMiB) : 0;
  return {
    state: resources.state,
    reason: resources.reason.code,
    machine: { cores: resources.coresOfMachine, memoryMiB },
    sandbox: {
      workersAllowed: resources.workersAllowed,
      workersRunning: running.filter(({ phase }) => phase === 'running' || phase === 'stopping').length,
      claimed: running.length,
      // Rounded, so that a rate that wavers is not a new offer each second.
      itemsPerSecond: itemsPerSecond < 10 ? Math.round(itemsPerSecond * 10) / 10 : Math.round(itemsPerSecond),
      ...(stretchSeconds === undefined ? {} : { stretchSeconds: rounded(stretchSeconds) }),
    },
    // Keeping others' data needs no idle machine, only the person's word and room.
    storage: { keeps: resources.donating && durable && usedMiB < allowedMiB && mayTravel(resources), usedMiB, allowedMiB },
  };
}

/** More data is offered a place only while it may be fetched and given out. */
const mayTravel = ({ reasons }: ResourceState) => !reasons.some(({ code }) => travels.has(code));
const travels: ReadonlySet<string> = new Set(['upload-used', 'download-used', 'metered', 'storage-full']);

/** In steps of about an eighth: a stretch that grows is not a new offer each second. */
function rounded(seconds: number): number {
  if (seconds < 8) return seconds;
  const step = 2 ** (Math.floor(Math.log2(seconds)) - 3);
  return Math.floor(seconds / step) * step;
}

export function sameOffer(a: Offer, b: Offer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
