// The services a boot document may name.
import type { ServiceFactory } from './service.ts';

/** By name. A factory is only ever called with the context of its own contract, so the catalogue forgets which. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a factory takes exactly its own contract, which no common type but any can say
export type ServiceCatalogue = ReadonlyMap<string, ServiceFactory<any>>;

export const serviceCatalogue: ServiceCatalogue = new Map([]);
