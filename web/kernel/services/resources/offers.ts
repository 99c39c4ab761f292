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
}

const mebibyte = 1024 * 1024;

export function offerOf({ resources, memoryMiB, durable, usedBytes, quotaBytes, running, itemsPerSecond }: OfferFacts): Offer {
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
    },
    // Keeping others' data needs no idle machine, only the person's word and room.
    storage: { keeps: resources.donating && durable && usedMiB < allowedMiB, usedMiB, allowedMiB },
  };
}

export function sameOffer(a: Offer, b: Offer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
