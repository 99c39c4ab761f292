// The services a boot document may name.
import type { ServiceFactory } from './service.ts';
import { abuseService } from './services/abuse/service.ts';
import { blocksService } from './services/blocks/service.ts';
import { executorService } from './services/executor/service.ts';
import { groupsService } from './services/groups/service.ts';
import { ledgerService } from './services/ledger/service.ts';
import { lendingService } from './services/lending/service.ts';
import { membershipService } from './services/membership/service.ts';
import { queueService } from './services/queue/service.ts';
import { resourcesService } from './services/resources/service.ts';
import { schedulerService } from './services/scheduler/service.ts';

/** What every factory is to the loader: each is only ever given the context of its own contract, so that may be forgotten here. */
// oxlint-disable-next-line typescript/no-explicit-any -- contracts are invariant: no common type but any holds them all
export type AnyServiceFactory = ServiceFactory<any>;
export type ServiceCatalogue = ReadonlyMap<string, AnyServiceFactory>;

export const serviceCatalogue: ServiceCatalogue = new Map<string, AnyServiceFactory>([
  ['membership', membershipService],
  ['abuse', abuseService],
  ['groups', groupsService],
  ['resources', resourcesService],
  ['blocks', blocksService],
  ['ledger', ledgerService],
  ['queue', queueService],
  ['executor', executorService],
  ['scheduler', schedulerService],
  ['lending', lendingService],
]);
