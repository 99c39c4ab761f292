// The services a boot document may name.
import type { ServiceFactory } from './service.ts';
import { membershipService } from './services/membership/service.ts';
import { queueService } from './services/queue/service.ts';

/** What every factory is to the loader: each is only ever given the context of its own contract, so that may be forgotten here. */
// oxlint-disable-next-line typescript/no-explicit-any -- contracts are invariant: no common type but any holds them all
export type AnyServiceFactory = ServiceFactory<any>;
export type ServiceCatalogue = ReadonlyMap<string, AnyServiceFactory>;

export const serviceCatalogue: ServiceCatalogue = new Map<string, AnyServiceFactory>([
  ['membership', membershipService],
  ['queue', queueService],
]);
